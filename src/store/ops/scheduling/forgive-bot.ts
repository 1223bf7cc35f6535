import { writeOperation } from '../../operation.js';
import { all, run, type Steps, statement } from '../../statement.js';

interface ForgiveBot {
  botId: string;
  /** Of these jobs; null: of all. */
  jobIds: readonly string[] | null;
  limit: number;
}

const ofBot = statement<ForgiveBot, { job_id: string; queue_id: number }>(`
  SELECT job_id, queue_id FROM avoided JOIN jobs ON jobs.id = job_id
  WHERE avoided.bot_id = @botId AND active = 1 LIMIT @limit`);
const forgive = statement<{ botId: string; jobId: string }>(`
  UPDATE avoided SET active = 0 WHERE bot_id = @botId AND job_id = @jobId AND active = 1`);

/**
 * Lets a bot have jobs again that it could not start; the number of its tries stays.
 *
 * @returns the queues of these jobs, `limit` at most
 */
export const forgiveBot = writeOperation(
  'forgive_bot',
  'work',
  function* (input: ForgiveBot): Steps<number[]> {
    const { botId, jobIds } = input;
    const rows = yield* all(ofBot, input);
    const wanted = rows.filter(({ job_id }) => jobIds === null || jobIds.includes(job_id));
    for (const { job_id: jobId } of wanted) yield* run(forgive, { botId, jobId });
    return [...new Set(wanted.map(({ queue_id }) => queue_id))];
  },
);
