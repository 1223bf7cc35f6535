import { status as Code, type StatusObject } from '@grpc/grpc-js';
import type { Logger } from '../../core/log.js';

/**
 * Why a request is refused before it becomes a call: it is not as the protocol wants it.
 * `httpStatus`: where that of the code is not meant; a stream is refused with it, too.
 */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  constructor(
    readonly code: Code,
    message: string,
    readonly httpStatus?: number,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }

  get status(): Partial<StatusObject> {
    return { code: this.code, details: this.message };
  }
}

/** A request of somebody who may not call at all: it is logged, and in the audit log. */
export class NotOurs extends Refusal {
  /** @param reason a constant in capitals */
  constructor(
    readonly reason: string,
    message: string,
  ) {
    super(Code.PERMISSION_DENIED, message, 403);
  }
}

export const tooMany = (what: string): Refusal =>
  new Refusal(Code.RESOURCE_EXHAUSTED, `${what}: try again`, 429, { 'retry-after': '1' });

export const malformed = (message: string): Refusal => new Refusal(Code.INVALID_ARGUMENT, message);

/** What a caller is told of an error of the master's own. */
export function internal(error: unknown, log: Logger): Refusal {
  log.error({ err: error }, 'internal error');
  return new Refusal(Code.INTERNAL, 'the master met an error of its own: its log has it');
}
