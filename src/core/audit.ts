import { createHash } from 'node:crypto';
import type { Principal } from './principal.js';

/** What a caller did or was refused, before it has its place in the audit log. */
export interface AuditNote {
  /** change: made. refusal: refused. cut: old entries were deleted. */
  readonly kind: 'change' | 'refusal' | 'cut';
  /** Milliseconds since 1970. */
  readonly time: number;
  /** "JobService/CreateJob" or "HTTP/metrics"; '': several. */
  readonly method: string;
  /** Name of the token; "anonymous" without one. */
  readonly caller: string;
  readonly tokenId: string;
  /** '': without a token. */
  readonly role: string;
  /** IP address of the peer; '': several. */
  readonly address: string;
  readonly requestId: string;
  /** Names and ids of what the call is about, never contents: pairs of field and value. */
  readonly about: readonly (readonly [field: string, value: string])[];
  /** "OK", or the reason of the refusal. */
  readonly outcome: string;
  /** Refusals that were alike. */
  readonly count: number;
}

/** An entry of the log. `about` is JSON, as it is kept. */
export interface AuditEntry extends Omit<AuditNote, 'about'> {
  /** From 1 on, without gaps. */
  readonly sequence: number;
  readonly about: string;
  /** `hash` of the entry before; '' of the first. */
  readonly previous: string;
}

/** SHA-256 of an entry, 64 hex digits. It covers the entry before by that one's hash. */
export const hashOf = (entry: AuditEntry): string =>
  createHash('sha256')
    .update(
      JSON.stringify([
        ...[entry.previous, entry.sequence, entry.time, entry.kind, entry.method, entry.caller],
        ...[entry.tokenId, entry.role, entry.address, entry.requestId, entry.about],
        ...[entry.outcome, entry.count],
      ]),
    )
    .digest('hex');

/**
 * The change that one call makes. The first of its writes that succeeds has the note in its
 * own transaction (store/executor.ts), so that both are on disk or neither is.
 */
export class Change {
  #state: 'open' | 'taken' | 'written' = 'open';
  /** The call's message, or its first one. */
  request: unknown;
  /** Who the caller has turned out to be, where the call is what shows it. */
  caller: Principal | undefined;

  constructor(readonly note: () => AuditNote) {}

  /** The note, for one write; undefined when another write has it. */
  take(): AuditNote | undefined {
    if (this.#state !== 'open') return undefined;
    this.#state = 'taken';
    return this.note();
  }

  /** The write that took the note has ended. */
  settle(isWritten: boolean): void {
    this.#state = isWritten ? 'written' : 'open';
  }

  get isWritten(): boolean {
    return this.#state === 'written';
  }
}
