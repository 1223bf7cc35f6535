import {
  AlreadyExistsError,
  DomainError,
  messageOf,
  NotFoundError,
  StaleLeaseError,
  ValidationError,
} from '../../core/errors.js';
import type { JobDoneRefusal } from '../../gen/pandafuzz/v1/heartbeat.js';

/** For errors that pass and bring no time of their own. */
const retryAfterMs = 1000;

/** Why a JobDone was not recorded, and whether to say it again. */
export function refusalOf(error: unknown): JobDoneRefusal {
  const final = (reason: string) => ({ reason, message: messageOf(error), retryAfterMs: 0 });
  if (error instanceof StaleLeaseError) return final('STALE_LEASE');
  if (error instanceof NotFoundError) return final('NOT_FOUND');
  if (error instanceof AlreadyExistsError) return final('ALREADY_EXISTS');
  if (error instanceof ValidationError) return final('INVALID_ARGUMENT');
  const message =
    error instanceof DomainError ? error.message : 'the master met an error of its own';
  return { reason: 'UNAVAILABLE', message, retryAfterMs };
}
