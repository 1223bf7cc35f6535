import { hash } from 'node:crypto';
import { Metadata } from '@grpc/grpc-js';
import { DataLossError } from '../core/errors.js';
import {
  CorpusEntry,
  type CorpusInput as CorpusMessage,
  CorpusOrigin,
  PullCorpusRequest,
  type PullCorpusResponse,
  type PushCorpusRequest,
  type PushCorpusResponse,
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
  /** Where it comes from, for one that is pushed; absent: the engine found it. */
  readonly origin?: CorpusOrigin;
}

export const corpusInput = (bytes: Buffer): CorpusInput => ({
  sha256: hash('sha256', bytes, 'hex'),
  bytes,
});

/** Bytes of a message for each input beside its own, at most. */
const overheadBytes = 100;

/** Uploads inputs to the corpus of the lease's target; resolves when they are on the master's disk. */
export function pushCorpus(
  { corpora }: Connection,
  lease: Lease,
  inputs: Iterable<CorpusInput>,
  options: SendOptions = {},
): Promise<PushCorpusResponse> {
  const messages = async function* (): AsyncGenerator<PushCorpusRequest> {
    yield { message: { $case: 'lease', value: lease } };
    let together: CorpusMessage[] = [];
    let togetherBytes = 0;
    for (const { sha256, bytes, origin = CorpusOrigin.UNSPECIFIED } of inputs) {
      const messageBytes = bytes.length + overheadBytes;
      if (together.length > 0 && togetherBytes + messageBytes > chunkBytes) {
        yield { message: { $case: 'inputs', value: { inputs: together } } };
        [together, togetherBytes] = [[], 0];
      }
      if (messageBytes > chunkBytes) {
        yield* inChunks({ sha256, bytes, origin });
        continue;
      }
      together.push({ sha256, content: bytes, cursor: 0, origin });
      togetherBytes += messageBytes;
    }
    if (together.length > 0) yield { message: { $case: 'inputs', value: { inputs: together } } };
  };
  return sendMessages<PushCorpusRequest, PushCorpusResponse>(
    (metadata, callback) => corpora.pushCorpus(metadata, callback),
    messages(),
    options,
  );
}

/** An input as messages of its own. */
function* inChunks({ sha256, bytes, origin }: CorpusInput): Generator<PushCorpusRequest> {
  const entry = CorpusEntry.create({ sha256, sizeBytes: bytes.length, origin });
  yield { message: { $case: 'entry', value: entry } };
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    yield { message: { $case: 'chunk', value: bytes.subarray(at, at + chunkBytes) } };
  }
}
/** What is pulled: the target's name, and as in PullCorpusRequest what else there is to say. */
export type Pulled = Pick<PullCorpusRequest, 'targetName'> & Partial<PullCorpusRequest>;

/**
 * Downloads a target's corpus after the cursor, input by input, each with the cursor to
 * continue from.
 *
 * @param onRevision called with the revision of the corpus, before its inputs
 */
export async function* pullCorpus(
  { corpora }: Connection,
  pulled: Pulled,
  { signal, stallMs = defaultStallMs }: SendOptions = {},
  onRevision: (revision: number) => void = () => {},
): AsyncGenerator<CorpusInput & { readonly cursor: number }> {
  const call = corpora.pullCorpus(
    PullCorpusRequest.create({ ...pulled, batches: true }),
    new Metadata(),
  );
  const cancel = () => call.cancel();
  const watch = watchMoves(stallMs, cancel);
  signal?.addEventListener('abort', cancel, { once: true });
  if (signal?.aborted) cancel();
  try {
    for await (const input of wholeInputs(call, onRevision)) {
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

async function* wholeInputs(
  messages: AsyncIterable<PullCorpusResponse>,
  onRevision: (revision: number) => void,
) {
  let parts: Uint8Array[] = [];
  let sha256 = '';
  let leftBytes = 0;
  for await (const { entry, cursor, chunk, inputs, revision } of messages) {
    if (revision > 0) onRevision(revision);
    for (const { sha256: name, content, cursor: next } of inputs) {
      const input = corpusInput(Buffer.from(content.buffer, content.byteOffset, content.length));
      if (input.sha256 !== name || leftBytes > 0) throw damaged();
      yield { ...input, cursor: next };
    }
    if (inputs.length > 0) continue;
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
