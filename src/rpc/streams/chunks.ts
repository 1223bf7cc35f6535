import type { RequestContext } from '../../core/context.js';
import { OutOfRangeError, ValidationError } from '../../core/errors.js';
import type { BlobStore } from '../../store/blobs.js';

/** Bytes of a file in one message. */
export const chunkBytes = 256 * 1024;

/** A file, and its bytes as they come. */
export interface ComingFile<Header> {
  readonly header: Header;
  readonly chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

type Upload<Header> =
  | { $case: 'chunk'; value: Uint8Array }
  | { $case: string; value: Header }
  | undefined;

const refuse = (problem: string) =>
  new ValidationError({ violations: [{ path: 'message', problem }] });

/**
 * Splits an upload into its first message and the bytes of the others, as they arrive.
 *
 * @throws ValidationError for messages in another order, or chunks too large
 */
export async function readUpload<Header>(
  requests: AsyncIterable<{ message: Upload<Header> }>,
): Promise<{ header: Header; chunks: AsyncIterable<Uint8Array> }> {
  const messages = requests[Symbol.asyncIterator]();
  const first = await messages.next();
  const opening = first.done ? undefined : first.value.message;
  if (!opening || opening.$case === 'chunk') {
    throw refuse('the first message must say what is coming; the bytes follow');
  }
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const next = await messages.next();
      if (next.done) return;
      const { message } = next.value;
      if (message?.$case !== 'chunk') throw refuse('only chunks may follow the first message');
      yield checked(message.value as Uint8Array);
    }
  }
  return { header: opening.value as Header, chunks: chunks() };
}

/**
 * As readUpload, of many files: the first message, then the header and the bytes of each
 * file, or messages with whole files. Bytes that the caller does not read are skipped.
 *
 * @param opening the kind of the first message
 * @param whole the files in a message that has whole ones
 * @throws ValidationError for messages in another order, or chunks too large
 */
export async function readUploads<Opening, Header, Whole>(
  requests: AsyncIterable<{ message: Upload<Opening | Header | Whole> }>,
  { opening, whole }: { opening: string; whole: WholeFiles<Header, Whole> },
): Promise<{ header: Opening; files: AsyncIterable<ComingFile<Header>> }> {
  const messages = requests[Symbol.asyncIterator]();
  let next = await messages.next();
  const current = () => (next.done ? undefined : next.value.message);
  const first = current();
  if (first?.$case !== opening) {
    throw refuse(`the first message must be the ${opening}; what is brought follows`);
  }
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (;;) {
      next = await messages.next();
      const message = current();
      if (message?.$case !== 'chunk') return;
      yield checked(message.value as Uint8Array);
    }
  }
  async function* files() {
    next = await messages.next();
    while (!next.done) {
      const message = current();
      if (message?.$case === whole.named) {
        yield* whole.filesIn(message.value as Whole);
        next = await messages.next();
        continue;
      }
      if (!message || message.$case === 'chunk' || message.$case === opening) {
        throw refuse('bytes must follow the header of what they are');
      }
      const bytes = chunks();
      yield { header: message.value as Header, chunks: bytes };
      for await (const _ of bytes); // the bytes that the caller did not read
    }
  }
  return { header: first.value as Opening, files: files() };
}

/** Messages with whole files: their kind, and the files in one. */
export interface WholeFiles<Header, Whole> {
  readonly named: string;
  readonly filesIn: (message: Whole) => Iterable<ComingFile<Header>>;
}

function checked(chunk: Uint8Array): Uint8Array {
  if (chunk.length > chunkBytes) throw refuse(`a chunk may have at most ${chunkBytes} bytes`);
  return chunk;
}

/**
 * A kept file from `offsetBytes` on.
 *
 * @throws OutOfRangeError when it ends before; DataLossError when it is lost
 */
export function fileChunks(
  ctx: RequestContext,
  blobs: BlobStore,
  file: { sha256: string; sizeBytes: number; offsetBytes: number },
): AsyncIterable<Uint8Array> {
  if (file.offsetBytes > file.sizeBytes) {
    throw new OutOfRangeError({ why: `the file ends at ${file.sizeBytes} bytes` });
  }
  return blobs.read(ctx, file.sha256, { offset: file.offsetBytes, chunkBytes });
}
