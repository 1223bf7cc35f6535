/** Why a call did not succeed, by the Connect protocol's code. */
export class Failure extends Error {
  constructor(
    readonly code: string,
    message: string,
    /** For the log of the master; empty where it did not answer. */
    readonly requestId = '',
    /** The master's own word for why, such as DISK_FULL; empty where it gave none. */
    readonly reason = '',
  ) {
    super(message);
  }
}

/** The master did not answer, or could not for now. */
export const isAway = ({ code }: Failure): boolean =>
  code === 'unavailable' || code === 'deadline_exceeded';

/**
 * It answered, and has too much to do. Quotas and a full disk have the same code and reasons of
 * their own: they concern one call. Without a reason it comes from below the calls.
 */
export const isBusy = ({ code, reason }: Failure): boolean =>
  code === 'resource_exhausted' && (reason === 'OVERLOADED' || reason === '');

/** Codes of answers that have no JSON, such as those of a proxy. */
const codes: Readonly<Record<number, string>> = {
  400: 'internal',
  401: 'unauthenticated',
  403: 'permission_denied',
  404: 'unimplemented',
  429: 'unavailable',
  502: 'unavailable',
  503: 'unavailable',
  504: 'unavailable',
};

interface ErrorJson {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly details?: unknown;
}

interface Detail {
  readonly type?: unknown;
  readonly debug?: { readonly reason?: unknown };
}

export function failureFrom(
  json: ErrorJson | undefined,
  status: number,
  requestId: string,
): Failure {
  const code = typeof json?.code === 'string' ? json.code : (codes[status] ?? 'unknown');
  const message = typeof json?.message === 'string' ? json.message : `HTTP status ${status}`;
  return new Failure(code, message, requestId, reasonOf(json?.details));
}

/** Of the detail that has one: google.rpc.ErrorInfo. */
function reasonOf(details: unknown): string {
  if (!Array.isArray(details)) return '';
  const info = (details as Detail[]).find(({ type }) => type === 'google.rpc.ErrorInfo');
  return typeof info?.debug?.reason === 'string' ? info.debug.reason : '';
}

/** Anything that was thrown; fetch throws TypeError where nobody answers. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const name = error instanceof Error ? error.name : '';
  if (name === 'TimeoutError') return new Failure('deadline_exceeded', 'no answer in time');
  if (name === 'TypeError') return new Failure('unavailable', 'the master does not answer');
  return new Failure('unknown', error instanceof Error ? error.message : String(error));
}
