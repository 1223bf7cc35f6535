import { expect, test } from '@jest/globals';
import { afterAttempt } from '../../src/store/after-attempt.js';

const job = {
  queue_id: 1,
  max_attempts: 2,
  failed_attempts: 1,
  refused_attempts: 0,
  lost_attempts: 0,
  cancel_requested_at: null,
  pause_requested_at: null,
  timed_out_at: null,
  start_by: null,
  start_within_ms: null,
  close_by: null,
};
const loss = { outcome: 'lost', message: 'm', now: 1, retryFirstMs: 10, retryMaxMs: 10 } as const;

test('a bot that is lost while it prepares a run uses up an attempt, one that fuzzes does not', () => {
  expect(afterAttempt(job, loss)).toMatchObject({ state: 'pending', lost_attempts: 1 });
  expect(afterAttempt(job, { ...loss, whilePreparing: true })).toMatchObject({
    state: 'dead',
    failed_attempts: 2,
    lost_attempts: 0,
    outcome: 'lost',
  });
});
