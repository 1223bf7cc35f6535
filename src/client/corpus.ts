import { hash } from 'node:crypto';
import { Metadata } from '@grpc/grpc-js';
import { DataLossError } from '../core/errors.js';
import type {
  CorpusInput as CorpusMessage,
  PullCorpusResponse,
  PushCorpusRequest,
  PushCorpusResponse,
} from '../gen/pandafuzz/v1/corpus_service.js';
import type { Lease } from '../gen/pandafuzz/v1/lease.js';
import { type CallLimits, deadlineAfter } from './call.js';
import type { Connection } from './connect.js';
import { sendMessages } from './send.js';
import { chunkBytes, defaultTransferMs } from './transfer.js';

/** Largest input of a corpus in the contract. */
export const largestInputBytes = 2 ** 20;

/** An input of a corpus. */
export interface CorpusInput {
  readonly sha256: string;
  readonly bytes: Buffer;
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
  { signal, timeoutMs = defaultTransferMs }: CallLimits = {},
): Promise<PushCorpusResponse> {
  const messages = async function* (): AsyncGenerator<PushCorpusRequest> {
    yield { message: { $case: 'lease', value: lease } };
    let together: CorpusMessage[] = [];
    let togetherBytes = 0;
    for (const { sha256, bytes } of inputs) {
      const messageBytes = bytes.length + overheadBytes;
      if (together.length > 0 && togetherBytes + messageBytes > chunkBytes) {
        yield { message: { $case: 'inputs', value: { inputs: together } } };
        [together, togetherBytes] = [[], 0];
      }
      if (messageBytes > chunkBytes) {
        yield* inChunks(sha256, bytes);
        continue;
      }
      together.push({ sha256, content: bytes, cursor: 0 });
      togetherBytes += messageBytes;
    }
    if (together.length > 0) yield { message: { $case: 'inputs', value: { inputs: together } } };
  };
  return sendMessages<PushCorpusRequest, PushCorpusResponse>(
    (metadata, callOptions, callback) => corpora.pushCorpus(metadata, callOptions, callback),
    messages(),
    { timeoutMs, signal },
  );
}

/** An input as messages of its own. */
function* inChunks(sha256: string, bytes: Buffer): Generator<PushCorpusRequest> {
  yield { message: { $case: 'entry', value: { sha256, sizeBytes: bytes.length } } };
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    yield { message: { $case: 'chunk', value: bytes.subarray(at, at + chunkBytes) } };
  }
}

/**
 * Downloads a target's corpus after the cursor, input by input, each with the cursor to
 * continue from.
 */
export async function* pullCorpus(
  { corpora }: Connection,
  targetName: string,
  cursor: number,
  { signal, timeoutMs = defaultTransferMs }: CallLimits = {},
): AsyncGenerator<CorpusInput & { readonly cursor: number }> {
  const deadline = deadlineAfter(timeoutMs);
  const call = corpora.pullCorpus({ targetName, cursor, batches: true }, new Metadata(), {
    deadline,
  });
  const cancel = () => call.cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  if (signal?.aborted) cancel();
  try {
    yield* wholeInputs(call);
  } finally {
    signal?.removeEventListener('abort', cancel);
    call.on('error', () => {}); // of the cancellation below; nothing waits for it
    call.cancel();
  }
}

async function* wholeInputs(messages: AsyncIterable<PullCorpusResponse>) {
  let parts: Uint8Array[] = [];
  let sha256 = '';
  let leftBytes = 0;
  for await (const { entry, cursor, chunk, inputs } of messages) {
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
