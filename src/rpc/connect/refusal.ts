import { status as Code } from '@grpc/grpc-js';

/**
 * Why a request is refused before it becomes a call: it is not as the protocol wants it.
 * `status`: of HTTP, where the code's own is not meant.
 */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  constructor(
    readonly code: Code,
    message: string,
    readonly status?: number,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

export const malformed = (message: string): Refusal => new Refusal(Code.INVALID_ARGUMENT, message);
