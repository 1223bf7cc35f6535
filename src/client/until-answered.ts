import type { Clock } from '../core/clock.js';
import { executeWithRetry, type RetryPolicy } from '../core/retry.js';
import { isAway } from './failure.js';

const policy: RetryPolicy = {
  maxRetries: Number.POSITIVE_INFINITY,
  firstDelayMs: 250,
  maxDelayMs: 15_000,
  multiplier: 2,
};

/**
 * Makes a call to the master, again for as long as the master is away.
 *
 * @throws the signal's reason when it aborts, and the last error that is not retryable
 */
export function untilAnswered<T>(
  signal: AbortSignal,
  call: () => Promise<T>,
  options: {
    readonly operation: string;
    readonly clock: Clock;
    readonly isRetryable?: (error: unknown) => boolean;
  },
): Promise<T> {
  const { operation, clock, isRetryable = isAway } = options;
  const always = { signal, deadline: Number.POSITIVE_INFINITY };
  return executeWithRetry(always, policy, call, { operation, isRetryable, clock });
}
