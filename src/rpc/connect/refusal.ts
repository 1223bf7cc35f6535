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

export const malformed = (message: string): Refusal => new Refusal(Code.INVALID_ARGUMENT, message);

/** What a caller is told of an error of the master's own. */
export function internal(error: unknown, log: Logger): Refusal {
  log.error({ err: error }, 'internal error');
  return new Refusal(Code.INTERNAL, 'the master met an error of its own: its log has it');
}
