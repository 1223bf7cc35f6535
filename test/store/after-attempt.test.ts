import { describe, expect, test } from '@jest/globals';
import { afterAttempt, type Ending, type JobOfAttempt } from '../../src/store/after-attempt.js';

const now = 1_000_000;

const fresh: JobOfAttempt = {
  queue_id: 1,
  max_attempts: 3,
  failed_attempts: 0,
  refused_attempts: 0,
  lost_attempts: 0,
  cancel_requested_at: null,
  pause_requested_at: null,
  timed_out_at: null,
  start_by: null,
  start_within_ms: null,
  close_by: null,
};

function after(outcome: Ending['outcome'], job: Partial<JobOfAttempt> = {}) {
  const pause = { retryFirstMs: 1000, retryMaxMs: 3000 };
  return afterAttempt({ ...fresh, ...job }, { outcome, message: 'why', now, ...pause });
}

describe('where a job goes after an attempt', () => {
  const wanted = { cancel_requested_at: 1 };
  const paused = { pause_requested_at: 1 };
  const last = { failed_attempts: 1, refused_attempts: 1 };
  const over = { close_by: now };
  const overtime = { timed_out_at: 1 };

  test.each([
    ['completed', {}, 'completed'],
    ['completed', { ...wanted, ...over, ...overtime }, 'completed'],
    ['failed', {}, 'pending'],
    ['failed', last, 'dead'],
    ['failed', { ...last, ...wanted }, 'cancelled'],
    ['failed', { ...last, ...paused }, 'dead'],
    ['failed', paused, 'paused'],
    ['rejected', last, 'dead'],
    ['timed_out', last, 'dead'],
    ['infrastructure', last, 'pending'],
    ['infrastructure', { ...last, ...overtime }, 'dead'],
    ['infrastructure', over, 'dead'],
    ['infrastructure', { close_by: now + 1 }, 'pending'],
    ['cancelled', wanted, 'cancelled'],
    ['cancelled', paused, 'paused'],
    ['cancelled', {}, 'pending'],
    ['lost', last, 'pending'],
    ['lost', wanted, 'cancelled'],
    ['unanswered', last, 'pending'],
  ] as const)('%s, of %j: %s', (outcome, job, state) => {
    const moved = after(outcome, job);
    expect(moved.state).toBe(state);
    const isOver = ['completed', 'cancelled', 'dead'].includes(state);
    expect(moved.finished_at).toBe(isOver ? now : null);
  });

  test.each([
    ['failed', {}, 'failed_attempts'],
    ['timed_out', {}, 'failed_attempts'],
    ['cancelled', { ...overtime, ...paused }, 'failed_attempts'],
    ['rejected', {}, 'refused_attempts'],
    ['lost', {}, 'lost_attempts'],
    ['lost', overtime, 'lost_attempts'],
    ['infrastructure', {}, 'lost_attempts'],
    ['infrastructure', over, 'lost_attempts'],
    ['cancelled', {}, 'lost_attempts'],
    ['cancelled', paused, undefined],
    ['infrastructure', wanted, undefined],
    ['unanswered', {}, undefined],
    ['completed', overtime, undefined],
  ] as const)('%s, of %j, counts as %s', (outcome, job, counted) => {
    const { failed_attempts, refused_attempts, lost_attempts } = after(outcome, job);
    const none = { failed_attempts: 0, refused_attempts: 0, lost_attempts: 0 };
    const counts = { failed_attempts, refused_attempts, lost_attempts };
    expect(counts).toEqual(counted ? { ...none, [counted]: 1 } : none);
  });

  test.each([
    ['failed', 0, now + 1000],
    ['failed', 1, now + 2000],
    ['rejected', 2, now + 3000],
    ['failed', 60, now + 3000],
    ['lost', 1, null],
    ['unanswered', 1, null],
  ] as const)('%s after %d used up: ready at %d', (outcome, used, readyAt) => {
    const moved = after(outcome, { max_attempts: 100, failed_attempts: used });
    expect(moved).toMatchObject({ ready_at: readyAt, delayed: readyAt === null ? 0 : 1 });
  });

  test('it has its whole time for a start again, from when it is ready, unless it never began', () => {
    const times = { start_within_ms: 500, start_by: now + 7 };
    const due = (start_by: number) => ({ start_by, due_at: start_by });
    expect(after('failed', times)).toMatchObject(due(now + 1500));
    expect(after('timed_out', times)).toMatchObject(due(now + 1500));
    expect(after('lost', times)).toMatchObject(due(now + 500));
    expect(after('rejected', times)).toMatchObject(due(now + 7));
    expect(after('unanswered', times)).toMatchObject(due(now + 7));
    expect(after('lost', { ...times, close_by: now + 300 })).toMatchObject({ due_at: now + 300 });
    expect(after('lost', { close_by: now + 300 })).toMatchObject({ due_at: now + 300 });
    const waiting = { ...times, ...paused, close_by: now + 900 };
    expect(after('lost', waiting)).toMatchObject({ due_at: now + 900 });
  });

  test('a run that was stopped for taking too long says so, whatever its bot said', () => {
    const saysSo = { outcome: 'timed_out', message: expect.stringMatching(/longer/) };
    expect(after('cancelled', overtime)).toMatchObject(saysSo);
    expect(after('failed', overtime)).toMatchObject(saysSo);
    const asTold = { outcome: 'completed', message: 'why' };
    expect(after('completed', overtime)).toMatchObject(asTold);
    expect(after('timed_out', overtime)).toMatchObject({ outcome: 'timed_out', message: 'why' });
    expect(after('lost', overtime)).toMatchObject({ outcome: 'lost', message: 'why' });
  });
});
