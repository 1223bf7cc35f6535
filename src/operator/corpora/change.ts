import { unary } from '../../client/call.js';
import { UserError } from '../../core/errors.js';
import { Job } from '../../gen/pandafuzz/v1/job.js';
import { allCompleted, followJobs } from '../follow.js';
import { plain } from '../format.js';
import { complain, print } from '../output.js';
import { asking } from '../session.js';
import { jobTable } from '../views.js';
import { about, type CorpusFlags, inputs, keyOf, titleOf } from './names.js';

/** `pandafuzz corpus merge`, `remove` and `reset`. */

/** EX_USAGE of sysexits.h. */
const usage = 64;
/** Of one call. */
const mostRemoved = 1000;

/** @returns the exit code */
export function mergeCorpus(
  flags: CorpusFlags & { wait?: boolean },
  targetName: string,
): Promise<number> {
  return asking(flags, async (connection, options) => {
    const { corpora } = connection;
    const corpus = keyOf(flags, targetName);
    const call = unary(corpora, corpora.mergeCorpus, { corpus }, options);
    const begun = await about(corpus, call);
    const jobs = flags.wait ? await followJobs(connection, [begun.jobId], options) : undefined;
    const results = jobs?.map(({ result }) => result?.message ?? '') ?? [];
    print(flags, {
      json: () => ({ ...begun, ...(jobs && { jobs: jobs.map(Job.toJSON) }) }),
      text: () =>
        jobs
          ? [jobTable(jobs, Date.now()), '', ...results.map(plain)].join('\n')
          : plain(begun.jobId),
    });
    return jobs && !allCompleted(jobs) ? 1 : 0;
  });
}

/** @returns the exit code */
export function removeInputs(
  flags: CorpusFlags,
  targetName: string,
  texts: readonly string[],
): Promise<number> {
  const malformed = texts.filter((text) => !/^[0-9a-f]{4,64}$/i.test(text));
  if (malformed.length > 0) {
    const why = 'an input is named by its SHA-256, or by at least its first 4 digits';
    throw new UserError(`${malformed[0]}: ${why}`, usage);
  }
  return asking(flags, async ({ corpora }, options) => {
    const corpus = keyOf(flags, targetName);
    const done = { removed: [] as string[], unknown: [] as string[], ambiguous: [] as string[] };
    for (let at = 0; at < texts.length; at += mostRemoved) {
      const sha256s = texts.slice(at, at + mostRemoved).map((text) => text.toLowerCase());
      const request = { corpus, sha256s };
      const call = unary(corpora, corpora.removeCorpusEntries, request, options);
      const part = await about(corpus, call);
      done.removed.push(...part.removed);
      done.unknown.push(...part.unknown);
      done.ambiguous.push(...part.ambiguous);
    }
    for (const text of done.unknown) complain(`${text}: there is no such input in the corpus`);
    for (const text of done.ambiguous)
      complain(`${text}: several inputs begin so; give more digits`);
    print(flags, {
      json: () => done,
      text: () => plain(`${inputs(done.removed.length)} removed`),
    });
    return done.unknown.length + done.ambiguous.length > 0 ? 1 : 0;
  });
}

export function resetCorpus(
  flags: CorpusFlags & { yes?: boolean },
  targetName: string,
): Promise<void> {
  const key = keyOf(flags, targetName);
  if (!flags.yes) {
    const why = 'this removes every input, and cannot be undone: export it first, then give --yes';
    throw new UserError(`${titleOf(key)}: ${why}`, usage);
  }
  return asking(flags, async ({ corpora }, options) => {
    const call = unary(corpora, corpora.resetCorpus, { corpus: key }, options);
    const { removed } = await about(key, call);
    print(flags, {
      json: () => ({ ...key, removed }),
      text: () => plain(`${titleOf(key)} is empty: ${inputs(removed)} removed`),
    });
  });
}
