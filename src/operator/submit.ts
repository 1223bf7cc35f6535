import { basename } from 'node:path';
import { unary } from '../client/call.js';
import type { Connection } from '../client/connect.js';
import { isAway } from '../client/failure.js';
import { uploadArtifact } from '../client/transfer.js';
import { sleep, systemClock } from '../core/clock.js';
import { UserError } from '../core/errors.js';
import { newId } from '../core/ids.js';
import { backoffMs } from '../core/retry.js';
import { engineOf } from '../core/target-engine.js';
import { ArtifactKind } from '../gen/pandafuzz/v1/artifact.js';
import { type Job, JobSpec } from '../gen/pandafuzz/v1/job.js';
import { withProgress } from './progress.js';
import { withSeedArchive } from './seeds.js';
import { expectExecutable } from './target.js';

export interface Submission {
  /** The executable to fuzz. */
  readonly targetPath: string;
  /** Folder of seed inputs. */
  readonly seedsPath?: string;
  /** Further fields of the spec; the master fills in the rest. No engine: the target's own. */
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
 * @throws UserError for an unusable target or seeds, before anything is sent
 */
export async function submitJobs(
  connection: Connection,
  submission: Submission,
  options: CallOptions = {},
): Promise<Job[]> {
  await expectExecutable(submission.targetPath);
  const upload = async (kind: ArtifactKind, path: string, name: string, what: string) => {
    const sent = await withProgress(what, (onProgress) =>
      uploadArtifact(
        connection,
        { path, kind, name },
        { onProgress, ...(options.signal && { signal: options.signal }) },
      ),
    );
    return sent.artifact?.sha256 ?? '';
  };
  const { seedsPath, targetPath } = submission;
  const seedsSha256 =
    seedsPath === undefined
      ? ''
      : await withSeedArchive(seedsPath, ({ path, name }) =>
          upload(ArtifactKind.SEEDS, path, name, 'seeds '),
        );
  const name = basename(targetPath).slice(-128);
  const targetSha256 = await upload(ArtifactKind.TARGET, targetPath, name, 'target');
  const engine = submission.spec.engine || (await engineOf(targetPath)) || 'libfuzzer';
  const spec = JobSpec.create({ ...submission.spec, engine, targetSha256, seedsSha256 });
  const jobs: Job[] = [];
  while (jobs.length < submission.count) jobs.push(await createJob(connection, spec, options));
  return jobs;
}

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
