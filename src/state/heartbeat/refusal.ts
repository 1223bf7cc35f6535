import {
  AlreadyExistsError,
  DomainError,
  messageOf,
  NotFoundError,
  PreconditionError,
  StaleLeaseError,
  ValidationError,
} from '../../core/errors.js';
import type { JobDoneRefusal } from '../../gen/pandafuzz/v1/heartbeat.js';

/** Time to repeat a result after a temporary error. */
const retryAfterMs = 1000;

/** Maps an error to the refusal of a JobDone: its reason, and the time to repeat it. */
export function refusalOf(error: unknown): JobDoneRefusal {
  const final = (reason: string) => ({ reason, message: messageOf(error), retryAfterMs: 0 });
  if (error instanceof StaleLeaseError) return final('STALE_LEASE');
  if (error instanceof NotFoundError) return final('NOT_FOUND');
  if (error instanceof AlreadyExistsError) return final('ALREADY_EXISTS');
  if (error instanceof ValidationError) return final('INVALID_ARGUMENT');
  const message =
    error instanceof DomainError ? error.message : 'internal error of the master: its log has it';
  return { reason: 'UNAVAILABLE', message, retryAfterMs };
}

export const secondHello = () =>
  new PreconditionError({
    reason: 'UNEXPECTED_HELLO',
    why: 'Hello opens a stream and comes only once',
  });

export const unknownMessage = () =>
  new ValidationError({
    violations: [{ path: 'message', problem: 'must be one of the messages of a heartbeat stream' }],
  });

export const wrongSequence = (next: number) =>
  new PreconditionError({
    reason: 'WRONG_SEQUENCE',
    why: `beats count up from 1 without a gap; the next is ${next}`,
  });
