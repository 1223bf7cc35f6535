import { status as Code } from '@grpc/grpc-js';
import { StalledError } from '../core/errors.js';
import type { RetryPolicy } from '../core/retry.js';
import { failureOf } from './failure.js';

/** Waits between tries of a transfer that gets no further: five minutes in all, on average. */
export const tries: RetryPolicy = {
  maxRetries: 40,
  firstDelayMs: 250,
  maxDelayMs: 15_000,
  multiplier: 2,
};

const passing = new Set([
  Code.UNKNOWN,
  Code.DEADLINE_EXCEEDED,
  Code.ABORTED,
  Code.INTERNAL,
  Code.UNAVAILABLE,
]);

/** Whether a transfer that failed with this error may go on where it broke off. */
export function isPassing(error: unknown): boolean {
  if (error instanceof StalledError) return true;
  const failure = failureOf(error);
  if (!failure) return false;
  return passing.has(failure.code) || failure.reason === 'OVERLOADED';
}
