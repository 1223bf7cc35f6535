import { canonicalJson } from '../../../core/canonical-json.js';
import { AlreadyExistsError, NotFoundError } from '../../../core/errors.js';
import { writeOperation } from '../../operation.js';
import { type ArtifactRow, type JobRow, jobColumns, type QueueRow } from '../../rows.js';
import { earliest, later } from '../../times.js';
import { eventRecorder } from '../events/record-event.js';

export interface CreateJobInput {
  id: string;
  requestId: string | null;
  campaign: string;
  engine: string;
  /** What a bot must offer: labels as JSON with sorted keys. */
  labels: string;
  memoryMib: number;
  diskMib: number;
  priority: number;
  targetSha256: string;
  seedsSha256: string | null;
  /** Empty: the target artifact's name. */
  targetName: string;
  maxAttempts: number;
  /** Not handed out before; null: at once. */
  readyAt: number | null;
  /** JobTimeouts; null: no such time. */
  startWithinMs: number | null;
  runWithinMs: number | null;
  closeWithinMs: number | null;
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

/**
 * Queues a job. A `requestId` seen before returns the job it made then.
 *
 * @throws NotFoundError when an artifact was never uploaded
 * @throws AlreadyExistsError when the requestId made a job of another spec
 */
export const createJob = writeOperation('create_job', 'work', (db) => {
  const artifact = db.prepare<[string, string], Pick<ArtifactRow, 'name'>>(
    'SELECT name FROM artifacts WHERE sha256 = ? AND kind = ?',
  );
  const queue = db.prepare<[object], QueueRow>(`
      SELECT * FROM queues
      WHERE campaign = @campaign AND engine = @engine AND labels = @labels
        AND memory_mib = @memoryMib AND disk_mib = @diskMib`);
  const newQueue = db.prepare<[object], QueueRow>(`
      INSERT INTO queues (campaign, engine, labels, memory_mib, disk_mib)
      VALUES (@campaign, @engine, @labels, @memoryMib, @diskMib)
      RETURNING *`);
  const newCampaign = db.prepare<[string]>(
    'INSERT INTO campaigns (key, weight, max_parallel) VALUES (?, 1, 0) ON CONFLICT DO NOTHING',
  );
  const insert = db.prepare(`
      INSERT INTO jobs (id, request_id, state, queue_id, campaign, engine, priority, target_sha256,
        seeds_sha256, target_name, max_attempts, created_at, delayed, ready_at, start_within_ms,
        start_by, run_within_ms, close_within_ms, close_by, due_at, spec)
      VALUES (?, ?, 'pending', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
        json_set(?, '$.targetName', ?))
      ON CONFLICT (request_id) DO NOTHING`);
  const byRequest = db.prepare<[string], JobRow>(
    `SELECT ${jobColumns} FROM jobs WHERE request_id = ?`,
  );
  const recordEvent = eventRecorder(db);

  const queueOf = (input: CreateJobInput): QueueRow => {
    const known = queue.get(input);
    if (known) return known;
    newCampaign.run(input.campaign);
    return newQueue.get(input) as QueueRow;
  };

  /** @returns whether it was; not when its request was made before */
  const wasMade = (input: CreateJobInput, queueId: number, targetName: string): boolean => {
    const { now, readyAt, startWithinMs, closeWithinMs } = input;
    const isDelayed = readyAt !== null && readyAt > now;
    const startBy = later(isDelayed ? readyAt : now, startWithinMs);
    const closeBy = later(now, closeWithinMs);
    const { changes } = insert.run(
      ...[input.id, input.requestId, queueId, input.campaign, input.engine, input.priority],
      ...[input.targetSha256, input.seedsSha256, targetName, input.maxAttempts, now],
      ...[isDelayed ? 1 : 0, readyAt, startWithinMs, startBy, input.runWithinMs, closeWithinMs],
      ...[closeBy, earliest(startBy, closeBy), input.spec, targetName],
    );
    return changes > 0;
  };

  return (input: CreateJobInput): MadeJob => {
    const target = artifact.get(input.targetSha256, 'target');
    if (!target) throw new NotFoundError({ resource: 'target', id: input.targetSha256 });
    if (input.seedsSha256 !== null && !artifact.get(input.seedsSha256, 'seeds')) {
      throw new NotFoundError({ resource: 'seed archive', id: input.seedsSha256 });
    }
    const targetName = input.targetName || target.name;
    const home = queueOf(input);
    if (wasMade(input, home.id, targetName)) {
      const { id, now, engine, campaign } = input;
      recordEvent(now, 'job.created', id, { engine, campaign });
      return { queue: home, targetName, earlier: undefined };
    }
    const earlierJob = byRequest.get(input.requestId as string) as JobRow;
    if (!sameSpec(earlierJob.spec, { ...JSON.parse(input.spec), targetName })) {
      throw new AlreadyExistsError({
        resource: 'job',
        id: earlierJob.id,
        why: 'this request_id has already made a job of another spec: use a new one',
      });
    }
    return { queue: home, targetName, earlier: earlierJob };
  };
});

function sameSpec(stored: string, given: Record<string, unknown>): boolean {
  return canonicalJson(JSON.parse(stored)) === canonicalJson(given);
}
