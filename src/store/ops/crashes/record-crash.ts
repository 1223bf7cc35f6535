import { NotFoundError } from '../../../core/errors.js';
import { writeOperation } from '../../operation.js';
import { flag } from '../../sql.js';
import { one, run, type Steps, statement } from '../../statement.js';
import { recordEvent } from '../events/record-event.js';
import { lockJob } from '../jobs/lock-job.js';

export interface RecordedCrash {
  crashId: string;
  groupId: string;
  newGroup: boolean;
  duplicate: boolean;
  late: boolean;
}

/** A crash as its bot reported it. */
interface Report {
  id: string;
  jobId: string;
  attempt: number;
  kind: string;
  topFrame: string;
  inputSha256: string;
  inputSizeBytes: number;
  report: string;
  now: number;
}

interface RecordCrash extends Report {
  newGroupId: string;
  fence: number;
  frames: readonly string[];
  signature: string;
}

/** The attempt in which it was found. */
interface Source {
  bot_id: string;
  target_name: string;
  late: 0 | 1;
}

const attempt = statement<{ jobId: string; attempt: number; fence: number }, Source>(`
  SELECT attempts.bot_id, target_name,
    ${flag('NOT EXISTS (SELECT 1 FROM leases WHERE job_id = @jobId AND fence = @fence)')} AS late
  FROM attempts JOIN jobs ON jobs.id = job_id
  WHERE job_id = @jobId AND attempts.fence = @fence AND attempts.attempt = @attempt`);
const known = statement<
  { jobId: string; inputSha256: string },
  { id: string; group_id: string; late: 0 | 1 }
>('SELECT id, group_id, late FROM crashes WHERE job_id = @jobId AND input_sha256 = @inputSha256');
const group = statement<
  Report & { newGroupId: string; signature: string; targetName: string },
  { id: string; count: number }
>(`
  INSERT INTO crash_groups (id, target_name, signature, kind, top_frame, count,
    first_found_at, last_found_at, first_crash_id)
  VALUES (@newGroupId, @targetName, @signature, @kind, @topFrame, 1, @now, @now, @id)
  ON CONFLICT (target_name, signature) DO UPDATE SET
    count = crash_groups.count + 1, last_found_at = excluded.last_found_at
  RETURNING id, count`);
const insert = statement<
  Report & { groupId: string; botId: string; targetName: string; late: 0 | 1; frames: string }
>(`
  INSERT INTO crashes (id, group_id, job_id, attempt, bot_id, target_name, kind, top_frame,
    input_sha256, input_size_bytes, found_at, late, frames, report)
  VALUES (@id, @groupId, @jobId, @attempt, @botId, @targetName, @kind, @topFrame,
    @inputSha256, @inputSizeBytes, @now, @late, @frames, @report)`);

/**
 * Records a crash whose input is on disk, in the group of its signature. The same input of
 * the same job is the same crash. A crash from a stale lease is recorded too, marked late.
 *
 * @throws NotFoundError for a job, or an attempt of it, that never was
 */
export const recordCrash = writeOperation(
  'record_crash',
  'result',
  function* (input: RecordCrash): Steps<RecordedCrash> {
    yield* lockJob(input.jobId);
    const source = yield* one(attempt, input);
    if (!source) throw new NotFoundError({ resource: 'attempt of this job', id: input.jobId });
    const before = yield* one(known, input);
    if (before) {
      const [crashId, groupId, late] = [before.id, before.group_id, before.late === 1];
      return { crashId, groupId, newGroup: false, duplicate: true, late };
    }
    const { id, jobId, now } = input;
    const [targetName, botId] = [source.target_name, source.bot_id];
    const home = (yield* one(group, { ...input, targetName })) as { id: string; count: number };
    const groupId = home.id;
    const crash = { ...input, frames: JSON.stringify(input.frames), late: source.late };
    yield* run(insert, { ...crash, groupId, botId, targetName });
    yield* recordEvent(now, 'crash.recorded', id, { groupId, jobId });
    const newGroup = home.count === 1;
    return { crashId: id, groupId, newGroup, duplicate: false, late: source.late === 1 };
  },
);
