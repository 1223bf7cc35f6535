import { canonicalJson } from '../../../core/canonical-json.js';
import { AlreadyExistsError } from '../../../core/errors.js';
import { defaultProject } from '../../../core/project.js';
import { writeOperation } from '../../operation.js';
import { type JobKindName, type JobRow, jobColumns, type QueueRow } from '../../rows.js';
import { one, run, type Steps, statement } from '../../statement.js';
import { earliest, later } from '../../times.js';
import { recordEvent } from '../events/record-event.js';
import { expectArtifacts } from '../targets/find-uses.js';
import { noteBuild } from './note-build.js';
import { queueOf } from './queue-of.js';

export interface CreateJobInput {
  id: string;
  requestId: string | null;
  /** The namespace of its target. */
  project: string;
  kind: JobKindName;
  campaign: string;
  engine: string;
  /** What a bot must announce: the engine, or for work on crashes what stands for both. */
  requiredEngine: string;
  /** What a bot must offer: labels as JSON with sorted keys. */
  labels: string;
  memoryMib: number;
  diskMib: number;
  /** Not this bot; empty: any. */
  otherThanBotId: string;
  priority: number;
  targetSha256: string;
  /** Of a bundle; else empty. */
  executable: string;
  seedsSha256: string | null;
  dictionarySha256: string | null;
  /** Empty: the target artifact's name. */
  targetName: string;
  maxAttempts: number;
  /** Not handed out before; null: at once. */
  readyAt: number | null;
  /** JobTimeouts; null: no such time. */
  startWithinMs: number | null;
  runWithinMs: number | null;
  closeWithinMs: number | null;
  /** Fuzzing in all, of a job that fuzzes. */
  fuzzWithinMs?: number | null;
  /** JobSpec as protobuf JSON. */
  spec: string;
  now: number;
}

export interface MadeJob {
  /** The job's. */
  queue: QueueRow;
  /** The job's: the target artifact's where none was given. */
  targetName: string;
  /** The job that the same request made before; undefined: this one was made, as it was given. */
  earlier: JobRow | undefined;
}

export interface NewJob extends CreateJobInput {
  fuzzWithinMs: number | null;
  queueId: number;
  delayed: 0 | 1;
  startBy: number | null;
  closeBy: number | null;
  dueAt: number | null;
}

const insert = statement<NewJob>(`
  INSERT INTO jobs (id, request_id, state, queue_id, project, kind, campaign, engine, priority, target_sha256,
    seeds_sha256, dictionary_sha256, target_name, max_attempts, created_at, delayed, ready_at, start_within_ms,
    start_by, run_within_ms, close_within_ms, close_by, due_at, fuzz_within_ms, spec)
  VALUES (@id, @requestId, 'pending', @queueId, @project, @kind, @campaign, @engine, @priority, @targetSha256,
    @seedsSha256, @dictionarySha256, @targetName, @maxAttempts, @now, @delayed, @readyAt, @startWithinMs,
    @startBy, @runWithinMs, @closeWithinMs, @closeBy, @dueAt, @fuzzWithinMs, @spec)
  ON CONFLICT (request_id) DO NOTHING`);
const byRequest = statement<{ requestId: string | null }, JobRow>(
  `SELECT ${jobColumns} FROM jobs WHERE request_id = @requestId`,
);

/**
 * Queues a job that fuzzes. A `requestId` seen before returns the job it made then.
 *
 * @throws NotFoundError when an artifact was never uploaded
 * @throws AlreadyExistsError when the requestId made a job of another spec
 */
export const createJob = writeOperation(
  'create_job',
  'work',
  function* (input: CreateJobInput): Steps<MadeJob> {
    const made = yield* queueJob(input);
    if (!made.earlier) yield* noteBuild({ ...input, targetName: made.targetName });
    return made;
  },
);

/** Queues a job of any kind. Throws as `createJob` does. */
export function* queueJob(input: CreateJobInput): Steps<MadeJob> {
  const uploadedName = yield* expectArtifacts(input);
  const targetName = input.targetName || uploadedName;
  const queue = yield* queueOf(input);
  const job = newJob(input, queue.id, targetName);
  if ((yield* run(insert, job)) > 0) {
    const { id, now, engine, campaign } = input;
    yield* recordEvent(now, 'job.created', id, { engine, campaign });
    return { queue, targetName, earlier: undefined };
  }
  const earlier = (yield* one(byRequest, input)) as JobRow;
  if (!isSameSpec(earlier.spec, job.spec)) {
    throw new AlreadyExistsError({
      resource: 'job',
      id: earlier.id,
      why: 'this request_id has already made a job of another spec: use a new one',
    });
  }
  return { queue, targetName, earlier };
}

/** The row of a job that waits in this queue. */
export function newJob(input: CreateJobInput, queueId: number, targetName: string): NewJob {
  const { now, readyAt, startWithinMs, closeWithinMs } = input;
  const isDelayed = readyAt !== null && readyAt > now;
  const startBy = later(isDelayed ? readyAt : now, startWithinMs);
  const closeBy = later(now, closeWithinMs);
  const dueAt = earliest(startBy, closeBy);
  const spec = input.targetName === '' ? withTargetName(input.spec, targetName) : input.spec;
  const delayed = isDelayed ? 1 : 0;
  const fuzzWithinMs = input.fuzzWithinMs ?? null;
  const times = { startBy, closeBy, dueAt, fuzzWithinMs };
  return { ...input, targetName, spec, queueId, delayed, ...times };
}

/**
 * The JSON of a spec that has no target name, with one. Put in as text: to read and write
 * the JSON anew takes longer than the INSERT.
 */
function withTargetName(spec: string, targetName: string): string {
  const separator = /^\{\s*\}$/.test(spec) ? '' : ',';
  const end = spec.lastIndexOf('}');
  return `${spec.slice(0, end)}${separator}"targetName":${JSON.stringify(targetName)}}`;
}

const isSameSpec = (stored: string, given: string): boolean =>
  canonicalJson(withProject(stored)) === canonicalJson(withProject(given));

/** Specs that 0.1.0 stored have no project. */
const withProject = (spec: string): object => ({ project: defaultProject, ...JSON.parse(spec) });
