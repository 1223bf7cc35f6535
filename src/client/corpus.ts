import { createHash } from 'node:crypto';
import { Metadata } from '@grpc/grpc-js';
import { DataLossError } from '../core/errors.js';
import type {
  PullCorpusResponse,
  PushCorpusRequest,
  PushCorpusResponse,
} from '../gen/pandafuzz/v1/corpus_service.js';
import type { Lease } from '../gen/pandafuzz/v1/lease.js';
import type { Connection } from './connect.js';
import { chunkBytes } from './file-chunks.js';
import { defaultStallMs, type SendOptions, sendMessages, watchMoves } from './send.js';

/** Largest input of a corpus in the contract. */
export const largestInputBytes = 2 ** 20;

/** An input of a corpus. */
export interface CorpusInput {
  readonly sha256: string;
  readonly bytes: Buffer;
}

export const corpusInput = (bytes: Buffer): CorpusInput => ({
  sha256: createHash('sha256').update(bytes).digest('hex'),
  bytes,
});

/** Uploads inputs to the corpus of the lease's target; resolves when they are on the master's disk. */
export function pushCorpus(
  { corpora }: Connection,
  lease: Lease,
  inputs: Iterable<CorpusInput>,
  options: SendOptions = {},
): Promise<PushCorpusResponse> {
  const messages = async function* (): AsyncGenerator<PushCorpusRequest> {
    yield { message: { $case: 'lease', value: lease } };
    for (const { sha256, bytes } of inputs) {
      yield { message: { $case: 'entry', value: { sha256, sizeBytes: bytes.length } } };
      for (let at = 0; at < bytes.length; at += chunkBytes) {
        yield { message: { $case: 'chunk', value: bytes.subarray(at, at + chunkBytes) } };
      }
    }
  };
  return sendMessages<PushCorpusRequest, PushCorpusResponse>(
    (metadata, callback) => corpora.pushCorpus(metadata, callback),
    messages(),
    options,
  );
}

/**
 * Downloads a target's corpus after the cursor, input by input, each with the cursor to
 * continue from.
 */
export async function* pullCorpus(
  { corpora }: Connection,
  targetName: string,
  cursor: number,
  { signal, stallMs = defaultStallMs }: SendOptions = {},
): AsyncGenerator<CorpusInput & { readonly cursor: number }> {
  const call = corpora.pullCorpus({ targetName, cursor }, new Metadata());
  const cancel = () => call.cancel();
  const watch = watchMoves(stallMs, cancel);
  signal?.addEventListener('abort', cancel, { once: true });
  if (signal?.aborted) cancel();
  try {
    for await (const input of wholeInputs(call)) {
      watch.moved();
      yield input;
      watch.moved(); // the time that its reader took
    }
  } finally {
    watch.end();
    signal?.removeEventListener('abort', cancel);
    call.on('error', () => {}); // of the cancellation below; nothing waits for it
    call.cancel();
  }
}

async function* wholeInputs(messages: AsyncIterable<PullCorpusResponse>) {
  let parts: Uint8Array[] = [];
  let sha256 = '';
  let leftBytes = 0;
  for await (const { entry, cursor, chunk } of messages) {
    if (entry) {
      if (leftBytes > 0) throw damaged();
      [parts, sha256, leftBytes] = [[], entry.sha256, entry.sizeBytes];
    }
    parts.push(chunk);
    leftBytes -= chunk.length;
    if (leftBytes > 0 || (chunk.length === 0 && !entry)) continue;
    const input = corpusInput(Buffer.concat(parts));
    if (input.sha256 !== sha256) throw damaged();
    yield { ...input, cursor };
  }
  if (leftBytes > 0) throw damaged();
}

const damaged = () =>
  new DataLossError({ why: 'an input did not arrive as the master announced it; try again' });
