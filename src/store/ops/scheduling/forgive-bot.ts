import { writeOperation } from '../../operation.js';
import { all, one, run, type Steps, statement } from '../../statement.js';

interface ForgiveBot {
  botId: string;
  /** Of these jobs; null: of all, `limit` at most. */
  jobIds: readonly string[] | null;
  limit: number;
}

interface Avoided {
  job_id: string;
  queue_id: number;
}

const ofBot = statement<ForgiveBot, Avoided>(`
  SELECT job_id, queue_id FROM avoided JOIN jobs ON jobs.id = job_id
  WHERE avoided.bot_id = @botId AND active = 1 LIMIT @limit`);
const ofJob = statement<{ botId: string; jobId: string }, Avoided>(`
  SELECT job_id, queue_id FROM avoided JOIN jobs ON jobs.id = job_id
  WHERE avoided.bot_id = @botId AND job_id = @jobId AND active = 1`);
const forgive = statement<{ botId: string; jobId: string }>(`
  UPDATE avoided SET active = 0 WHERE bot_id = @botId AND job_id = @jobId AND active = 1`);

/**
 * Lets a bot have jobs again that it could not start; the number of its tries stays.
 *
 * @returns how many jobs, and their queues
 */
export const forgiveBot = writeOperation(
  'forgive_bot',
  'work',
  function* (input: ForgiveBot): Steps<{ count: number; queues: number[] }> {
    const rows = yield* avoidedBy(input);
    for (const { job_id: jobId } of rows) yield* run(forgive, { botId: input.botId, jobId });
    return { count: rows.length, queues: [...new Set(rows.map(({ queue_id }) => queue_id))] };
  },
);

function* avoidedBy(input: ForgiveBot): Steps<Avoided[]> {
  const { botId, jobIds } = input;
  if (jobIds === null) return yield* all(ofBot, input);
  const rows: Avoided[] = [];
  for (const jobId of jobIds) {
    const row = yield* one(ofJob, { botId, jobId });
    if (row) rows.push(row);
  }
  return rows;
}
