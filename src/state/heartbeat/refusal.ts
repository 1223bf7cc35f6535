import {
  AlreadyExistsError,
  DomainError,
  messageOf,
  NotFoundError,
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
