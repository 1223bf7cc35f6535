import { readOperation, writeOperation } from '../../operation.js';
import { one, run, type Steps, statement } from '../../statement.js';

/** Jobs of which a log is kept: at 64 KiB each, and a third more as text, 85 MiB in all. */
export const mostKeptLogs = 1000;

interface KeepJobLog {
  jobId: string;
  fence: number;
  /** Base64. */
  log: string;
}

const remove = statement<{ jobId: string }>('DELETE FROM job_logs WHERE job_id = @jobId');
const insert = statement<KeepJobLog, { sequence: number }>(`
  INSERT INTO job_logs (job_id, fence, log) VALUES (@jobId, @fence, @log) RETURNING sequence`);
const removeOld = statement<{ upTo: number }>('DELETE FROM job_logs WHERE sequence <= @upTo');

/** Keeps the log of an attempt in place of an earlier one's, and removes the oldest logs. */
export const keepJobLog = writeOperation(
  'keep_job_log',
  'upkeep',
  function* (input: KeepJobLog): Steps<void> {
    yield* run(remove, { jobId: input.jobId });
    const row = yield* one(insert, input);
    yield* run(removeOld, { upTo: (row?.sequence ?? 0) - mostKeptLogs });
  },
);

const select = statement<{ jobId: string }, { fence: number; bot_id: string; log: string }>(`
  SELECT job_logs.fence, bot_id, log FROM job_logs
    JOIN attempts ON attempts.job_id = job_logs.job_id AND attempts.fence = job_logs.fence
  WHERE job_logs.job_id = @jobId`);

/** The log that is kept of a job; undefined if there is none. */
export const getJobLog = readOperation('get_job_log', (jobId: string) => one(select, { jobId }));
