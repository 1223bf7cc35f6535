import { AlreadyExistsError, NotFoundError } from '../../core/errors.js';
import { writeOperation } from '../operation.js';
import { type ArtifactRow, type JobRow, jobColumns } from '../rows.js';
import { eventRecorder } from './record-event.js';

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
  const insert = db.prepare<[object], JobRow>(`
      INSERT INTO jobs (id, request_id, state, engine, priority, target_sha256, seeds_sha256,
        target_name, max_attempts, created_at, spec)
      VALUES (@id, @requestId, 'pending', @engine, @priority, @targetSha256, @seedsSha256,
        @targetName, @maxAttempts, @now, json_set(@spec, '$.targetName', @targetName))
      ON CONFLICT (request_id) DO NOTHING
      RETURNING ${jobColumns}`);
  const byRequest = db.prepare<[string], JobRow>(
    `SELECT ${jobColumns} FROM jobs WHERE request_id = ?`,
  );
  const recordEvent = eventRecorder(db);

  return (input: {
    id: string;
    requestId: string | null;
    engine: string;
    priority: number;
    targetSha256: string;
    seedsSha256: string | null;
    /** Empty: the target artifact's name. */
    targetName: string;
    maxAttempts: number;
    /** JobSpec as protobuf JSON. */
    spec: string;
    now: number;
  }): { job: JobRow; created: boolean } => {
    const target = artifact.get(input.targetSha256, 'target');
    if (!target) throw new NotFoundError({ resource: 'target', id: input.targetSha256 });
    if (input.seedsSha256 !== null && !artifact.get(input.seedsSha256, 'seeds')) {
      throw new NotFoundError({ resource: 'seed archive', id: input.seedsSha256 });
    }
    const targetName = input.targetName || target.name;
    const job = insert.get({ ...input, targetName });
    if (job) {
      recordEvent(input.now, 'job.created', job.id, { engine: job.engine });
      return { job, created: true };
    }
    const earlier = byRequest.get(input.requestId as string) as JobRow;
    if (!sameSpec(earlier.spec, { ...JSON.parse(input.spec), targetName })) {
      throw new AlreadyExistsError({
        resource: 'job',
        id: earlier.id,
        why: 'this request_id has already made a job of another spec: use a new one',
      });
    }
    return { job: earlier, created: false };
  };
});

function sameSpec(stored: string, given: Record<string, unknown>): boolean {
  return canonical(JSON.parse(stored)) === canonical(given);
}

/** JSON with every object's keys in order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner) =>
    inner && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
