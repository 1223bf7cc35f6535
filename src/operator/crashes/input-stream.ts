import { createHash } from 'node:crypto';
import { feed } from '../../client/call.js';
import type { Connection } from '../../client/connect.js';
import { isAway } from '../../client/failure.js';
import { defaultStallMs, watchMoves } from '../../client/send.js';
import { sleep, systemClock } from '../../core/clock.js';
import { DataLossError } from '../../core/errors.js';
import { backoffMs } from '../../core/retry.js';
import type { Crash } from '../../gen/pandafuzz/v1/crash.js';
import { repetition } from '../submit.js';

/**
 * The input of a crash as it arrives. A download that breaks off goes on where it was, since
 * what a tar has taken cannot be taken back.
 *
 * @throws DataLossError when the bytes are not those of the crash's SHA-256
 */
export async function* inputStream(
  { crashes }: Connection,
  { id: crashId, inputSha256, inputSizeBytes }: Crash,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let offsetBytes = 0;
  for (let retry = 0; offsetBytes < inputSizeBytes; ) {
    const stalled = new AbortController();
    const watch = watchMoves(defaultStallMs, () => stalled.abort());
    const ends = AbortSignal.any([signal, stalled.signal]);
    const request = { crashId, offsetBytes };
    try {
      for await (const { chunk } of feed(crashes, crashes.downloadCrashInput, request, ends)) {
        hash.update(chunk);
        offsetBytes += chunk.length;
        if (chunk.length > 0) retry = 0;
        yield chunk;
        watch.moved();
      }
      break;
    } catch (error) {
      retry += 1;
      const mayGoOn = isAway(error) || watch.hasStalled;
      if (!mayGoOn || retry > repetition.maxRetries) throw error;
      await sleep(systemClock, backoffMs(repetition, retry), signal);
    } finally {
      watch.end();
    }
  }
  if (offsetBytes !== inputSizeBytes || hash.digest('hex') !== inputSha256) {
    throw new DataLossError({
      why: 'the bytes that arrived do not have the announced SHA-256; try again',
    });
  }
}
