import { status as Code } from '@grpc/grpc-js';
import { failureOf } from '../../src/client/failure.js';
import { messageOf } from '../../src/core/errors.js';
import { ErrorInfo } from '../../src/gen/google/rpc/error_details.js';
import type { RawAnswer } from '../wire/raw-client.js';
import { nameOfError } from './frames.js';
import type { Stage } from './stage.js';

/** One abuse: what it is, how it ends, and how it is done. */
export interface Abuse {
  readonly name: string;
  /**
   * How the master ends it: a status ("INVALID_ARGUMENT", with a reason behind it where there is
   * one), "HTTP 415", "RST CODE" or "GOAWAY CODE" of HTTP/2, or "closed" (the connection).
   */
  readonly ends: string | RegExp;
  readonly by: (stage: Stage) => Promise<string>;
  /** It waits for a time of the master's: begun before all others, so that all wait together. */
  readonly isSlow?: true;
}

export const abuse = (name: string, ends: Abuse['ends'], by: Abuse['by']): Abuse => ({
  name,
  ends,
  by,
});

export const slowAbuse = (name: string, ends: Abuse['ends'], by: Abuse['by']): Abuse => ({
  ...abuse(name, ends, by),
  isSlow: true,
});

/** The end of a call, in one line. */
export function endOf({ code, headers, details, resetCode }: RawAnswer): string {
  const http = headers[':status'];
  if (code >= 0) return [Code[code], reasonIn(details.details)].filter(Boolean).join(' ');
  if (http !== undefined && Number(http) !== 200) return `HTTP ${http}`;
  return `RST ${nameOfError(resetCode)}`;
}

function reasonIn(details: RawAnswer['details']['details']): string {
  const info = details.find(({ typeUrl }) => typeUrl.endsWith('ErrorInfo'));
  return info ? ErrorInfo.decode(info.value).reason : '';
}

/** The end of a call by the client's own library. */
export async function outcome(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'OK';
  } catch (error) {
    const failure = failureOf(error);
    if (!failure) return messageOf(error);
    return [Code[failure.code], failure.reason].filter(Boolean).join(' ');
  }
}

/** Different ends, each once, in order of the alphabet. */
export const distinct = (ends: readonly string[]): string => [...new Set(ends)].sort().join(', ');
