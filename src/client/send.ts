import { once } from 'node:events';
import { type ClientWritableStream, Metadata, type ServiceError } from '@grpc/grpc-js';
import { systemClock } from '../core/clock.js';
import { StalledError } from '../core/errors.js';

/** A client-streaming method of a generated client. */
type Send<Request, Response> = (
  metadata: Metadata,
  callback: (error: ServiceError | null, response: Response) => void,
) => ClientWritableStream<Request>;

export interface SendOptions {
  /** Longest that nothing may move, milliseconds. */
  readonly stallMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Longest that nothing of a transfer may move, milliseconds. */
export const defaultStallMs = 60_000;

/**
 * For the answer after the last message, milliseconds: some of the bytes are still on their
 * way, and the master syncs what it has. A master that is gone ends the call sooner, by its
 * connection.
 */
const answerMs = 10 * 60_000;

/**
 * Sends all messages, no faster than the peer reads. Ends when the peer answers, and takes
 * no further message from the source then. There is no time for the whole.
 *
 * @throws grpc-js's ServiceError, StalledError, and errors of the source
 */
export async function sendMessages<Request, Response>(
  send: Send<Request, Response>,
  messages: AsyncIterable<Request>,
  { stallMs = defaultStallMs, signal }: SendOptions,
): Promise<Response> {
  const answer = Promise.withResolvers<Response>();
  const answered = new AbortController();
  const call = send(new Metadata(), (error, response) => {
    watch.end();
    if (error) answer.reject(watch.hasStalled ? new StalledError({ stalledMs: stallMs }) : error);
    else answer.resolve(response);
    answered.abort();
  });
  const watch = watchMoves(stallMs, () => call.cancel());
  const cancel = () => call.cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  if (signal?.aborted) cancel();
  answer.promise.catch(() => {});
  try {
    for await (const message of messages) {
      if (answered.signal.aborted) break;
      if (!call.write(message, watch.moved)) await writable(call, answered.signal);
    }
    call.end();
    watch.moved();
    watch.allow(answerMs);
    return await answer.promise;
  } catch (error) {
    call.cancel();
    throw error;
  } finally {
    watch.end();
    signal?.removeEventListener('abort', cancel);
  }
}

/** Calls `stalled` once `stallMs` have passed without a call of `moved`. */
export function watchMoves(stallMs: number, stalled: () => void) {
  let movedAtMs = systemClock.monotonic();
  let allowedMs = stallMs;
  const look = () => {
    const leftMs = movedAtMs + allowedMs - systemClock.monotonic();
    if (leftMs > 0) timer = systemClock.schedule(leftMs, look);
    else {
      watch.hasStalled = true;
      stalled();
    }
  };
  let timer = systemClock.schedule(stallMs, look);
  const watch = {
    hasStalled: false,
    moved: (): void => {
      movedAtMs = systemClock.monotonic();
    },
    /** From now on, another time. */
    allow: (ms: number): void => {
      allowedMs = ms;
      timer.cancel();
      timer = systemClock.schedule(Math.min(ms, stallMs), look);
    },
    end: (): void => timer.cancel(),
  };
  return watch;
}

/** Resolves when the stream takes more, or the call is answered: then `drain` never fires. */
async function writable(call: NodeJS.EventEmitter, answered: AbortSignal): Promise<void> {
  await once(call, 'drain', { signal: answered }).catch((error) => {
    if (!answered.aborted) throw error;
  });
}
