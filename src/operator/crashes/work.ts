import { stat } from 'node:fs/promises';
import { unary } from '../../client/call.js';
import type { Connection } from '../../client/connect.js';
import { isSha256 } from '../../core/ids.js';
import { ArtifactKind } from '../../gen/pandafuzz/v1/artifact.js';
import { Crash, CrashGroup } from '../../gen/pandafuzz/v1/crash.js';
import { Job } from '../../gen/pandafuzz/v1/job.js';
import { eachOf } from '../each.js';
import { nameOf } from '../file-names.js';
import { allCompleted, followJobs } from '../follow.js';
import { bytes, plain } from '../format.js';
import { findCrashOrGroup } from '../ids.js';
import { listCrashGroups } from '../lists.js';
import { print } from '../output.js';
import { asking, type Flags } from '../session.js';
import type { CallOptions } from '../submit.js';
import { expectExecutable } from '../target.js';
import { withTarget } from '../targets/submitted.js';
import { uploader } from '../targets/uploader.js';
import { jobTable } from '../views.js';
import { many } from './describe.js';
import { crashOf, groupDossier } from './dossier.js';
import { groupTable } from './tables.js';

/** `pandafuzz crash reproduce`, `minimise` and `verify`: each makes a job of the master. */

type WorkFlags = Flags & { wait?: boolean };
type Waiting = Required<CallOptions>;

interface Begun {
  readonly jobId: string;
  readonly crashId: string;
}

interface Work {
  readonly begin: (connection: Connection, id: string, options: CallOptions) => Promise<Begun>;
  /** The crash to show when the job has ended. */
  readonly result: (
    connection: Connection,
    crashId: string,
    options: CallOptions,
  ) => Promise<Crash>;
}

export function reproduce(flags: WorkFlags & { runs?: number }, texts: readonly string[]) {
  return work(flags, texts, {
    begin: ({ crashes }, id, options) =>
      unary(crashes, crashes.reproduceCrash, { id, runs: flags.runs ?? 0 }, options),
    result: crashOf,
  });
}

export function minimise(flags: WorkFlags & { time?: number }, texts: readonly string[]) {
  const seconds = Math.ceil((flags.time ?? 0) / 1000);
  return work(flags, texts, {
    begin: ({ crashes }, id, options) =>
      unary(crashes, crashes.minimiseCrash, { id, seconds }, options),
    // A smaller input is a crash of its own, and its group's reproducer then.
    async result(connection, crashId, options) {
      const { groupId } = await crashOf(connection, crashId, options);
      return (await groupDossier(connection, groupId, options)).crash;
    },
  });
}

/** @returns the exit code */
function work(
  flags: WorkFlags,
  texts: readonly string[],
  { begin, result }: Work,
): Promise<number> {
  return asking(flags, async (connection, options) => {
    const begun: Begun[] = [];
    const refused = await eachOf(texts, connection.address, async (text) => {
      const { id } = await findCrashOrGroup(connection, text, options);
      begun.push(await begin(connection, id, options));
    });
    const jobs = await waited(connection, flags, begun, options);
    const results: Crash[] = [];
    for (const { crashId } of jobs ? begun : []) {
      results.push(await result(connection, crashId, options));
    }
    print(flags, {
      json: () => ({
        work: begun,
        ...(jobs && { jobs: jobs.map(Job.toJSON), crashes: results.map(Crash.toJSON) }),
      }),
      text: () =>
        jobs
          ? [jobTable(jobs, Date.now()), '', ...results.map(resultLine)].join('\n')
          : begun.map(({ jobId }) => plain(jobId)).join('\n'),
    });
    return refused > 0 || (jobs && !allCompleted(jobs)) ? 1 : 0;
  });
}

const waited = (
  connection: Connection,
  { wait }: WorkFlags,
  begun: readonly Begun[],
  options: Waiting,
): Promise<Job[] | undefined> =>
  wait
    ? followJobs(
        connection,
        begun.map(({ jobId }) => jobId),
        options,
      )
    : Promise.resolve(undefined);

function resultLine(crash: Crash): string {
  const { id, kind, topFrame, reproductions, inputSizeBytes, minimisedFrom } = crash;
  const [newest] = reproductions;
  const from = minimisedFrom === '' ? '' : ` (made smaller from ${minimisedFrom})`;
  const isFlaky = newest && newest.crashes > 0 && newest.crashes < newest.runs;
  const runs = newest
    ? `, ${newest.crashes} of ${newest.runs} runs crashed${isFlaky ? ' (flaky)' : ''}`
    : '';
  return plain(`${id}  ${kind} in ${topFrame}, input of ${bytes(inputSizeBytes)}${from}${runs}`);
}

type VerifyFlags = WorkFlags & { project?: string; targetName?: string; bundle?: string };

/**
 * A build that is uploaded already, by its SHA-256, or an executable or a bundle here, which is
 * uploaded.
 *
 * @param target of a bundle, the path of the executable in it; empty: its only one
 */
export function verify(flags: VerifyFlags, target: string): Promise<number> {
  return asking(flags, async (connection, options) => {
    const { crashes } = connection;
    const { bundle, project = '' } = flags;
    const build =
      bundle === undefined
        ? { targetSha256: await uploadedBuild(connection, target, options), name: '' }
        : await uploadedBundle(connection, { bundle, executable: target }, options);
    const { targetSha256 } = build;
    const request = {
      targetSha256,
      project,
      targetName: flags.targetName ?? build.name,
      executable: 'executable' in build ? build.executable : '',
    };
    const { jobId, groups } = await unary(crashes, crashes.verifyBuild, request, options);
    const jobs = await waited(connection, flags, [{ jobId, crashId: '' }], options);
    const fixed = jobs ? await fixedBy(connection, jobs, targetSha256, options) : [];
    print(flags, {
      json: () => ({
        jobId,
        targetSha256,
        groups,
        ...(jobs && { jobs: jobs.map(Job.toJSON), fixed: fixed.map(CrashGroup.toJSON) }),
      }),
      text: () =>
        jobs
          ? [jobTable(jobs, Date.now()), '', fixedText(fixed, groups)].join('\n')
          : plain(`${jobId} tries the reproducers of ${many(groups, 'group')} on ${targetSha256}`),
    });
    return jobs && !allCompleted(jobs) ? 1 : 0;
  });
}

async function uploadedBuild(
  connection: Connection,
  fileOrSha256: string,
  { signal }: Waiting,
): Promise<string> {
  const isFile = await stat(fileOrSha256).then(
    () => true,
    () => false,
  );
  if (!isFile && isSha256(fileOrSha256)) return fileOrSha256;
  await expectExecutable(fileOrSha256);
  const file = { path: fileOrSha256, name: nameOf(fileOrSha256) };
  return uploader(connection, { signal })(ArtifactKind.TARGET, file, 'target');
}

/** As `job submit --bundle` sends it, under the name that it would have there. */
function uploadedBundle(
  connection: Connection,
  target: { readonly bundle: string; readonly executable: string },
  options: Waiting,
): Promise<{ targetSha256: string; name: string; executable: string }> {
  const context = { connection, options, isChecked: false, spec: {} };
  return withTarget(target, context, async ({ executable, targetName: name, sha256 }) => ({
    targetSha256: await sha256(uploader(connection, options)),
    name,
    executable,
  }));
}

/** The groups of the job's target that no longer crash in this build. */
async function fixedBy(
  connection: Connection,
  [job]: readonly Job[],
  targetSha256: string,
  options: CallOptions,
): Promise<CrashGroup[]> {
  const { project = '', targetName = '' } = job?.spec ?? {};
  const filter = { project, targetName, limit: Number.MAX_SAFE_INTEGER };
  const groups = await listCrashGroups(connection, filter, options);
  return groups.filter(({ fixedInSha256 }) => fixedInSha256 === targetSha256);
}

const fixedText = (fixed: readonly CrashGroup[], tried: number) =>
  fixed.length === 0
    ? `none of ${many(tried, 'group')} is fixed in this build`
    : `${groupTable(fixed, Date.now())}\n\n${many(fixed.length, 'group')} fixed in this build`;
