import { writeOperation } from '../../operation.js';
import { runEach, type Steps, statement } from '../../statement.js';

interface Again {
  botId: string;
  jobId: string;
  untilAt: number;
}

const later = statement<Again>(`
  UPDATE avoided SET until_at = @untilAt WHERE bot_id = @botId AND job_id = @jobId AND active = 1`);
const remove = statement<{ jobId: string }>('DELETE FROM avoided WHERE job_id = @jobId');

/** Looks at some of them again later, and removes those of jobs that have ended. */
export const settleAvoided = writeOperation(
  'settle_avoided',
  'upkeep',
  function* (input: { again: readonly Again[]; ended: readonly string[] }): Steps<void> {
    yield* runEach(later, input.again);
    yield* runEach(
      remove,
      input.ended.map((jobId) => ({ jobId })),
    );
  },
);
