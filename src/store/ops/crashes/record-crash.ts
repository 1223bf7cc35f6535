import { NotFoundError } from '../../../core/errors.js';
import { writeOperation } from '../../operation.js';
import { eventRecorder } from '../events/record-event.js';

export interface RecordedCrash {
  crashId: string;
  groupId: string;
  newGroup: boolean;
  duplicate: boolean;
  late: boolean;
}

/**
 * Keeps a crash whose input is on disk, in the group of its signature. The same
 * input of the same job is the same crash. One from a stale lease is kept too,
 * marked late.
 *
 * @throws NotFoundError for a job, or an attempt of it, that never was
 */
export const recordCrash = writeOperation('record_crash', 'result', (db) => {
  const attempt = db.prepare<[object], { bot_id: string; target_name: string; late: 0 | 1 }>(`
      SELECT attempts.bot_id, target_name,
        NOT EXISTS (SELECT 1 FROM leases WHERE job_id = @jobId AND fence = @fence) AS late
      FROM attempts JOIN jobs ON jobs.id = job_id
      WHERE job_id = @jobId AND attempts.fence = @fence AND attempts.attempt = @attempt`);
  const known = db.prepare<[string, string], { id: string; group_id: string; late: 0 | 1 }>(
    'SELECT id, group_id, late FROM crashes WHERE job_id = ? AND input_sha256 = ?',
  );
  const group = db.prepare<[object], { id: string; count: number }>(`
      INSERT INTO crash_groups (id, target_name, signature, kind, top_frame, count,
        first_found_at, last_found_at, first_crash_id)
      VALUES (@newGroupId, @targetName, @signature, @kind, @topFrame, 1, @now, @now, @id)
      ON CONFLICT (target_name, signature) DO UPDATE SET
        count = count + 1, last_found_at = excluded.last_found_at
      RETURNING id, count`);
  const insert = db.prepare<[object]>(`
      INSERT INTO crashes (id, group_id, job_id, attempt, bot_id, target_name, kind, top_frame,
        input_sha256, input_size_bytes, found_at, late, frames, report)
      VALUES (@id, @groupId, @jobId, @attempt, @botId, @targetName, @kind, @topFrame,
        @inputSha256, @inputSizeBytes, @now, @late, @frames, @report)`);
  const recordEvent = eventRecorder(db);

  return (input: {
    id: string;
    newGroupId: string;
    jobId: string;
    attempt: number;
    fence: number;
    kind: string;
    frames: readonly string[];
    topFrame: string;
    signature: string;
    inputSha256: string;
    inputSizeBytes: number;
    report: string;
    now: number;
  }): RecordedCrash => {
    const { fence, newGroupId, signature, frames, ...crash } = input;
    const source = attempt.get({ jobId: crash.jobId, attempt: crash.attempt, fence });
    if (!source) throw new NotFoundError({ resource: 'attempt of this job', id: crash.jobId });
    const before = known.get(crash.jobId, crash.inputSha256);
    if (before) {
      const late = before.late === 1;
      return {
        crashId: before.id,
        groupId: before.group_id,
        newGroup: false,
        duplicate: true,
        late,
      };
    }
    const { kind, topFrame, now, id } = crash;
    const targetName = source.target_name;
    const home = group.get({ newGroupId, targetName, signature, kind, topFrame, now, id }) as {
      id: string;
      count: number;
    };
    insert.run({
      ...crash,
      groupId: home.id,
      botId: source.bot_id,
      targetName,
      late: source.late,
      frames: JSON.stringify(frames),
    });
    recordEvent(now, 'crash.recorded', id, { groupId: home.id, jobId: crash.jobId });
    const late = source.late === 1;
    return { crashId: id, groupId: home.id, newGroup: home.count === 1, duplicate: false, late };
  };
});
