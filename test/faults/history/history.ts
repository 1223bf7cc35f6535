import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { status as Code } from '@grpc/grpc-js';
import { failureOf } from '../../../src/client/failure.js';
import { systemClock } from '../../../src/core/clock.js';
import { messageOf } from '../../../src/core/errors.js';
import type { Answer, End, Kind, Operation, Request } from './operation.js';

/**
 * Everything that was asked and answered, with times: JSON lines, one for the question and one
 * for its end. Written at once, so that a load that dies leaves what it knew. Times are the same in
 * every process of this machine, in whole milliseconds.
 */
export class History {
  readonly #file: number;
  readonly #acknowledged = new Map<Kind, number>();
  #ids = 0;

  constructor(readonly path: string) {
    this.#file = openSync(path, 'a');
  }

  close(): void {
    closeSync(this.#file);
  }

  /** Runs `ask`, and records it with its answer or failure. */
  async record<K extends Kind, T>(
    actor: string,
    kind: K,
    request: Request<K>,
    ask: () => Promise<T>,
    read: (answer: T) => Answer<K>,
  ): Promise<T> {
    const id = this.#begin(actor, kind, request);
    try {
      const answer = await ask();
      this.#write({ id, end: 'done', at: systemClock.now(), answer: read(answer) });
      this.#acknowledged.set(kind, this.acknowledged(kind) + 1);
      return answer;
    } catch (error) {
      const { end, why } = endOf(error);
      this.#write({ id, end, at: systemClock.now(), why });
      throw error;
    }
  }

  /** How many of this kind were acknowledged so far. */
  acknowledged(kind: Kind): number {
    return this.#acknowledged.get(kind) ?? 0;
  }

  /** Records what happened without being asked for. */
  note<K extends 'take' | 'mark'>(
    actor: string,
    kind: K,
    request: Request<K>,
    answer: Answer<K>,
  ): void {
    const id = this.#begin(actor, kind, request);
    this.#write({ id, end: 'done', at: systemClock.now(), answer });
  }

  /** With those of other processes. */
  read(...others: readonly string[]): Operation[] {
    return [this.path, ...others].flatMap(readHistory);
  }

  #begin(actor: string, kind: Kind, request: object): number {
    const id = ++this.#ids;
    this.#write({ id, at: systemClock.now(), actor, kind, request });
    return id;
  }

  #write(line: object): void {
    writeSync(this.#file, `${JSON.stringify(line)}\n`);
  }
}

export function readHistory(path: string): Operation[] {
  const operations = new Map<number, Operation>();
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (line === '') continue;
    const { id, at, ...rest } = JSON.parse(line);
    const begun = operations.get(id);
    const open = { end: 'unknown', answeredAt: Number.POSITIVE_INFINITY, why: 'no answer' };
    operations.set(
      id,
      begun
        ? { ...begun, answeredAt: at, why: '', ...rest }
        : { id, askedAt: at, ...open, ...rest },
    );
  }
  return [...operations.values()];
}

/** A refusal by the bot's stream, which is no gRPC status. */
export class Refused extends Error {}

/** Statuses that only a master gives, before it writes. */
const refusals: readonly Code[] = [
  Code.INVALID_ARGUMENT,
  Code.NOT_FOUND,
  Code.ALREADY_EXISTS,
  Code.FAILED_PRECONDITION,
  Code.OUT_OF_RANGE,
];
/** Without a reason they may come from grpc-js, which knows nothing of a commit. */
const refusalsWithReason: readonly Code[] = [
  Code.RESOURCE_EXHAUSTED,
  Code.UNAVAILABLE,
  Code.ABORTED,
];

function endOf(error: unknown): { end: End; why: string } {
  if (error instanceof Refused) return { end: 'refused', why: error.message };
  const failure = failureOf(error);
  const isRefusal =
    failure !== undefined &&
    (refusals.includes(failure.code) ||
      (failure.reason !== '' && refusalsWithReason.includes(failure.code)));
  const why = failure
    ? `${Code[failure.code]} ${failure.reason} ${failure.message}`
    : messageOf(error);
  return { end: isRefusal ? 'refused' : 'unknown', why };
}
