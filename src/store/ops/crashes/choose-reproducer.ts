import { run, type Step, statement } from '../../statement.js';

const choose = statement<{ groupId: string }>(`
  UPDATE crash_groups SET reproducer_crash_id = (
    SELECT id FROM crashes WHERE group_id = @groupId
    ORDER BY reproduced_rank, input_size_bytes, id LIMIT 1)
  WHERE id = @groupId AND count > 0`);

/**
 * Sets the crash to begin with: the smallest that reproduces, else the smallest that was
 * not tried, else the smallest.
 */
export const chooseReproducer = (groupId: string): Step<number> => run(choose, { groupId });
