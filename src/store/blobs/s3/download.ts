import type { Readable } from 'node:stream';
import { systemClock } from '../../../core/clock.js';
import type { Signal } from '../../../core/signal.js';
import { faultOf, isPassing, NoObjectError, SilenceError, WrongAnswerError } from './faults.js';
import type { Objects } from './objects.js';

export interface Part {
  readonly offset: number;
  /** Undefined: to the end. */
  readonly lengthBytes?: number;
  readonly signal?: Signal;
}

/** Downloads that broke off without a byte in between, before one gives up. */
const mostBreaks = 4;

/**
 * The bytes of an object, as they come. A download that breaks off, or of which nothing comes
 * for the time of a request, goes on where it ended.
 *
 * @throws NoObjectError; RetryExhaustedError; the signal's reason
 */
export async function* download(objects: Objects, key: string, part: Part): AsyncGenerator<Buffer> {
  const { signal } = part;
  let at = part.offset;
  let end = part.lengthBytes === undefined ? undefined : part.offset + part.lengthBytes;
  for (let breaks = 0; end === undefined || at < end; ) {
    const terms = { name: 'get', ...(signal && { signal }) };
    const begun = await objects.requests.run(terms, (abortSignal) =>
      begin(objects, key, { at, end, abortSignal }),
    );
    if (!begun) return;
    end ??= at + begun.lengthBytes;
    try {
      for await (const chunk of moving(begun.body, objects.requests.timeoutMs, signal)) {
        if (at + chunk.length > end) throw new WrongAnswerError('more bytes than announced');
        at += chunk.length;
        breaks = 0;
        yield chunk;
      }
      if (at >= end || begun.isShort) return;
      throw new WrongAnswerError('fewer bytes than announced');
    } catch (error) {
      signal?.throwIfAborted();
      objects.requests.failed('get');
      if (++breaks > mostBreaks || !isPassing(error))
        throw objects.requests.giveUp('get', breaks, error);
    } finally {
      begun.body.destroy();
    }
  }
}

/** Undefined: the object ends before. */
async function begin(
  objects: Objects,
  key: string,
  { at, end, abortSignal }: { at: number; end: number | undefined; abortSignal: AbortSignal },
) {
  const last = end === undefined ? '' : end - 1;
  const range = at === 0 && end === undefined ? undefined : `bytes=${at}-${last}`;
  try {
    const { body, lengthBytes } = await objects.get(key, range, abortSignal);
    // Whoever stops it now ends its connection.
    body.on('error', () => {});
    const wanted = end === undefined ? lengthBytes : end - at;
    if (lengthBytes > wanted) {
      body.destroy();
      throw new WrongAnswerError('more bytes than asked for');
    }
    return { body, lengthBytes, isShort: lengthBytes < wanted };
  } catch (error) {
    if (faultOf(error).status === 416) return undefined;
    throw error;
  }
}

/** The chunks of a body; ends with an error when none comes for `idleMs`, or the caller leaves. */
async function* moving(
  body: Readable,
  idleMs: number,
  signal: Signal | undefined,
): AsyncGenerator<Buffer> {
  const onAbort = () => body.destroy(new SilenceError('the caller left'));
  signal?.addEventListener('abort', onAbort, { once: true });
  const chunks = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      // Runs while we wait for the server, and not while the reader takes its time.
      const timer = systemClock.schedule(idleMs, () =>
        body.destroy(new SilenceError(`no byte within ${idleMs} ms`)),
      );
      const next = await chunks.next().finally(() => timer.cancel());
      if (next.done) return;
      yield next.value as Buffer;
    }
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

/** An object as a whole, in memory. @returns undefined where there is none */
export async function downloadWhole(
  objects: Objects,
  key: string,
  part: Part = { offset: 0 },
): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of download(objects, key, part)) chunks.push(chunk);
  } catch (error) {
    if (error instanceof NoObjectError) return undefined;
    throw error;
  }
  return Buffer.concat(chunks);
}
