import { describe, expect, test } from '@jest/globals';
import { OperationContext } from '../../src/core/context.js';
import { CancelledError, RetryExhaustedError, TimeoutError } from '../../src/core/errors.js';
import { silentLog } from '../../src/core/log.js';
import { backoffMs, executeWithRetry } from '../../src/core/retry.js';
import { atEnd } from '../harness.js';
import { VirtualClock } from '../virtual-clock.js';

const policy = { maxRetries: 3, firstDelayMs: 10, maxDelayMs: 50, multiplier: 2 };
const busy = new Error('busy');

function trying(timeoutMs = 10_000) {
  const clock = new VirtualClock();
  const about = { operation: 'test', requestId: '1', log: silentLog };
  const ctx = new OperationContext({ ...about, timeoutMs, clock });
  atEnd(() => ctx.end());
  const run = (attempt: () => Promise<string>, random = () => 1) =>
    executeWithRetry(ctx, policy, attempt, {
      operation: 'claim_job',
      isRetryable: (error) => error === busy,
      clock,
      random,
    });
  /** Lets promises settle, then turns the clock. */
  const pass = async (ms: number) => {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(ms);
  };
  return { ctx, clock, run, pass };
}

describe('the backoff', () => {
  test('doubles its bound up to the longest, and draws evenly below it', () => {
    const bounds = [1, 2, 3, 4, 5].map((retry) => backoffMs(policy, retry, () => 1));
    expect(bounds).toEqual([10, 20, 40, 50, 50]);
    expect(backoffMs(policy, 2, () => 0.25)).toBe(5);
    expect(backoffMs(policy, 2, () => 0)).toBe(0);
  });
});

describe('a retried operation', () => {
  test('succeeds when the fault passes', async () => {
    const { run, pass } = trying();
    let tries = 0;
    const result = run(async () => {
      if (++tries < 3) throw busy;
      return 'done';
    });
    await pass(10);
    await pass(20);
    expect(await result).toBe('done');
    expect(tries).toBe(3);
  });

  test('fails at once on an error that does not pass', async () => {
    const { run } = trying();
    const broken = new Error('broken');
    await expect(run(() => Promise.reject(broken))).rejects.toBe(broken);
  });

  test('gives up after its retries, and says how many tries there were', async () => {
    const { run, pass } = trying();
    const result = run(() => Promise.reject(busy));
    result.catch(() => {});
    for (let retry = 0; retry < policy.maxRetries; retry++) await pass(50);
    const error = await result.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RetryExhaustedError);
    expect((error as RetryExhaustedError).fields).toMatchObject({ attempts: 4, lastError: 'busy' });
  });

  test('ends in the middle of a wait when the caller goes, and leaves no timer', async () => {
    const { ctx, clock, run, pass } = trying();
    const result = run(() => Promise.reject(busy));
    result.catch(() => {});
    await pass(1);
    ctx.abort(new CancelledError());
    await expect(result).rejects.toBeInstanceOf(CancelledError);
    expect(clock.pending).toBe(0);
  });

  test('never waits past its deadline', async () => {
    const { clock, run, pass } = trying(15);
    const result = run(() => Promise.reject(busy));
    result.catch(() => {});
    await pass(10);
    await pass(5);
    await expect(result).rejects.toBeInstanceOf(TimeoutError);
    expect(clock.monotonic()).toBe(15);
  });
});
