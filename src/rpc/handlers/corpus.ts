import type {
  CorpusInputs,
  CorpusServiceServer,
  PullCorpusResponse,
} from '../../gen/pandafuzz/v1/corpus_service.js';
import type { Lease } from '../../gen/pandafuzz/v1/lease.js';
import type { NewEntry } from '../../state/corpus/corpus.js';
import type { State } from '../../state/state.js';
import type { CorpusEntryRow } from '../../store/rows.js';
import type { Adapter } from '../adapter.js';
import { chunkBytes, readUploads, type WholeFiles } from '../streams/chunks.js';

/** Bytes of a message for each input beside its own, at most. */
const overheadBytes = 100;

export function corpusHandlers({ corpus, blobs }: State, adapt: Adapter) {
  return {
    pushCorpus: adapt.clientStream('result', async (requests, ctx) => {
      const { header, files } = await readUploads<Lease, NewEntry['header'], CorpusInputs>(
        requests,
        { opening: 'lease', whole: wholeEntries },
      );
      return corpus.push(ctx, header, files);
    }),
    pullCorpus: adapt.serverStream(
      'read',
      async function* (request, ctx): AsyncGenerator<PullCorpusResponse> {
        for await (const rows of messagefuls(corpus.since(ctx, request))) {
          const found = await blobs.readAll(rows);
          const inputs = rows.flatMap((row, index) => {
            const content = found[index];
            return content ? [{ sha256: row.sha256, content, cursor: row.sequence }] : [];
          });
          const isOneMessage = request.batches && (rows[0]?.size_bytes ?? 0) <= chunkBytes;
          if (isOneMessage) yield { ...emptyMessage, inputs };
          else for (const input of inputs) yield* inChunks(input);
        }
      },
    ),
    getCorpusStats: adapt.unary('read', (request, ctx) => corpus.size(ctx, request)),
  } satisfies CorpusServiceServer;
}

const wholeEntries: WholeFiles<NewEntry['header'], CorpusInputs> = {
  named: 'inputs',
  *filesIn({ inputs }) {
    for (const { sha256, content } of inputs) {
      yield { header: { sha256, sizeBytes: content.length }, chunks: [content] };
    }
  },
};

const emptyMessage = { entry: undefined, cursor: 0, chunk: Buffer.alloc(0) };

/** Entries that fit into one message together, or one entry alone. */
async function* messagefuls(rows: AsyncIterable<CorpusEntryRow>): AsyncGenerator<CorpusEntryRow[]> {
  let some: CorpusEntryRow[] = [];
  let bytes = 0;
  for await (const row of rows) {
    const rowBytes = row.size_bytes + overheadBytes;
    if (some.length > 0 && bytes + rowBytes > chunkBytes) {
      yield some;
      [some, bytes] = [[], 0];
    }
    some.push(row);
    bytes += rowBytes;
  }
  if (some.length > 0) yield some;
}

/** An input as messages of its own. */
function* inChunks(input: {
  sha256: string;
  content: Buffer;
  cursor: number;
}): Generator<PullCorpusResponse> {
  const { sha256, content, cursor } = input;
  const entry = { sha256, sizeBytes: content.length };
  yield { entry, cursor, chunk: content.subarray(0, chunkBytes), inputs: [] };
  for (let at = chunkBytes; at < content.length; at += chunkBytes) {
    yield { entry: undefined, cursor, chunk: content.subarray(at, at + chunkBytes), inputs: [] };
  }
}
