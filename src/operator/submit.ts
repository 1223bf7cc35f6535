import { unary } from '../client/call.js';
import type { Connection } from '../client/connect.js';
import { isAway } from '../client/failure.js';
import { sleep, systemClock } from '../core/clock.js';
import { UserError } from '../core/errors.js';
import { newId } from '../core/ids.js';
import { backoffMs } from '../core/retry.js';
import { ArtifactKind } from '../gen/pandafuzz/v1/artifact.js';
import { type Job, JobSpec } from '../gen/pandafuzz/v1/job.js';
import { refusedArgument } from '../target/arguments.js';
import { usage } from './exit-codes.js';
import { nameOf } from './file-names.js';
import { withSeedArchive } from './seeds.js';
import { checkDictionaryFile } from './targets/dictionary.js';
import { type SubmittedTarget, withTarget } from './targets/submitted.js';
import { uploader } from './targets/uploader.js';

export interface Submission {
  /** The executable to fuzz; or `target` is given. */
  readonly targetPath?: string;
  /** What is to be fuzzed, if it is no executable alone. */
  readonly target?: SubmittedTarget;
  /** Folder, file or archive of seed inputs. */
  readonly seedsPath?: string;
  /** Further ones. */
  readonly seeds?: readonly string[];
  /** File of a dictionary. */
  readonly dictionaryPath?: string;
  /** Looks at target and dictionary before they are sent. */
  readonly isChecked?: boolean;
  /** Further fields of the spec; the master fills in the rest. */
  readonly spec: Partial<JobSpec>;
  /** Number of jobs with this spec. */
  readonly count: number;
}

export interface CallOptions {
  /** One call's time, milliseconds; transfers have their own. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Uploads missing artifacts, and queues the jobs.
 *
 * @throws UserError for an unusable target, seeds or dictionary, before any of them is sent
 */
export async function submitJobs(
  connection: Connection,
  submission: Submission,
  options: CallOptions = {},
): Promise<Job[]> {
  const { targetPath = '', seedsPath, dictionaryPath, isChecked = false } = submission;
  const { target = { file: targetPath }, spec: given } = submission;
  const seeds = [...(seedsPath === undefined ? [] : [seedsPath]), ...(submission.seeds ?? [])];
  if (isChecked && dictionaryPath !== undefined) await checkDictionaryFile(dictionaryPath);
  const upload = uploader(connection, options);
  const context = { connection, options, isChecked, spec: given };
  const spec = await withSeeds(seeds, (seedArchive) =>
    withTarget(target, context, async (ready) => {
      const refusal = refusedArgument(ready.engine, given.arguments ?? []);
      if (refusal !== undefined) throw new UserError(refusal, usage);
      const seedsSha256 = seedArchive
        ? await upload(ArtifactKind.SEEDS, seedArchive, 'seeds ')
        : ready.seedsSha256;
      const dictionarySha256 =
        dictionaryPath === undefined
          ? ready.dictionarySha256
          : await upload(ArtifactKind.DICTIONARY, fileAt(dictionaryPath), 'dict  ');
      const { engine, targetName, executable } = ready;
      const targetSha256 = await ready.sha256(upload);
      return JobSpec.create({
        ...given,
        ...{ engine, targetName, executable, targetSha256, seedsSha256, dictionarySha256 },
      });
    }),
  );
  const jobs: Job[] = [];
  while (jobs.length < submission.count) jobs.push(await createJob(connection, spec, options));
  return jobs;
}

const fileAt = (path: string) => ({ path, name: nameOf(path) });

const withSeeds = <T>(
  seeds: readonly string[],
  use: (archive: { path: string; name: string } | undefined) => Promise<T>,
): Promise<T> => (seeds.length === 0 ? use(undefined) : withSeedArchive(seeds, use));

/** These waits cover a restart of the master: 10 s at most, 5 s on average. */
export const repetition = { maxRetries: 6, firstDelayMs: 250, maxDelayMs: 4000, multiplier: 2 };

/** Repeats the call while no master answers: the same request_id is always the same job. */
async function createJob({ jobs }: Connection, spec: JobSpec, options: CallOptions): Promise<Job> {
  const signal = options.signal ?? new AbortController().signal;
  const request = { spec, requestId: newId() };
  for (let retry = 1; ; retry++) {
    try {
      const { job } = await unary(jobs, jobs.createJob, request, options);
      if (job) return job;
      throw new UserError('the master sent no job');
    } catch (error) {
      if (!isAway(error) || retry > repetition.maxRetries) throw error;
      await sleep(systemClock, backoffMs(repetition, retry), signal);
    }
  }
}
