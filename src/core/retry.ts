import { type Clock, sleep, systemClock } from './clock.js';
import { messageOf, RetryExhaustedError, TimeoutError } from './errors.js';
import type { Signal } from './signal.js';

/** Exponential backoff with full jitter: each wait is drawn evenly from 0 to its bound. */
export interface RetryPolicy {
  /** Tries after the first. */
  readonly maxRetries: number;
  /** Bound of the first wait. */
  readonly firstDelayMs: number;
  /** No wait's bound is longer. */
  readonly maxDelayMs: number;
  /** Each bound is this many times the one before. */
  readonly multiplier: number;
}

/** The wait before try `retry` (1 for the first one repeated), milliseconds. */
export function backoffMs(
  policy: Omit<RetryPolicy, 'maxRetries'>,
  retry: number,
  random: () => number = Math.random,
): number {
  const bound = policy.firstDelayMs * policy.multiplier ** (retry - 1);
  return random() * Math.min(bound, policy.maxDelayMs);
}

/**
 * Runs `attempt` until it succeeds, meets an error that is not retryable, or has been
 * repeated `policy.maxRetries` times. Ends at once when the context aborts, and with
 * TimeoutError instead of a wait past its deadline.
 *
 * @throws RetryExhaustedError when every try met a retryable error
 */
export async function executeWithRetry<T>(
  ctx: { readonly signal: Signal; readonly deadline: number },
  policy: RetryPolicy,
  attempt: () => Promise<T>,
  options: {
    operation: string;
    isRetryable: (error: unknown) => boolean;
    onRetry?: (error: unknown) => void;
    clock?: Clock;
    random?: () => number;
  },
): Promise<T> {
  const clock = options.clock ?? systemClock;
  const startedAt = clock.monotonic();
  for (let retry = 1; ; retry++) {
    ctx.signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      if (!options.isRetryable(error)) throw error;
      if (retry > policy.maxRetries) {
        throw new RetryExhaustedError({
          operation: options.operation,
          attempts: retry,
          lastError: messageOf(error),
          retryAfterMs: policy.maxDelayMs,
        });
      }
      options.onRetry?.(error);
      await waitWithin(ctx, clock, backoffMs(policy, retry, options.random), () => {
        const durationMs = clock.monotonic() - startedAt;
        return new TimeoutError({ operation: options.operation, durationMs });
      });
    }
  }
}

async function waitWithin(
  ctx: { readonly signal: Signal; readonly deadline: number },
  clock: Clock,
  delayMs: number,
  expired: () => TimeoutError,
): Promise<void> {
  const leftMs = ctx.deadline - clock.monotonic();
  await sleep(clock, Math.min(delayMs, Math.max(leftMs, 0)), ctx.signal);
  if (delayMs >= leftMs) throw expired();
}
