import {
  CorpusEntry,
  type CorpusInputs,
  type CorpusKey,
  type CorpusServiceServer,
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

export function corpusHandlers(
  { corpus, corpora, putAside, merges, blobs, own }: State,
  adapt: Adapter,
) {
  return {
    pushCorpus: adapt.clientStream('result', async (requests, ctx) => {
      const { header, files } = await readUploads<Lease, NewEntry['header'], CorpusInputs>(
        requests,
        { opening: 'lease', whole: wholeEntries },
      );
      return corpus.push(ctx, await own.lease(ctx, header), files);
    }),
    pullCorpus: adapt.serverStream(
      'read',
      async function* (request, ctx): AsyncGenerator<PullCorpusResponse> {
        let told = 0;
        for await (const { revision, rows: page } of corpus.since(ctx, request)) {
          if (page.length === 0 && revision !== told && request.revision > 0) {
            yield PullCorpusResponse.create({ revision });
          }
          for (const rows of messagefuls(page)) {
            const found = await blobs.readAll(rows);
            const inputs = rows.flatMap((row, index) => {
              const content = found[index];
              const { sha256, sequence: cursor } = row;
              return content ? [{ sha256, content, cursor, origin: 0 }] : [];
            });
            const isOneMessage = request.batches && (rows[0]?.size_bytes ?? 0) <= chunkBytes;
            const news = told === 0 ? revision : 0;
            if (isOneMessage) yield PullCorpusResponse.create({ inputs, revision: news });
            else for (const input of inputs) yield* inChunks(input, news);
            told = revision;
          }
        }
      },
    ),
    getCorpusStats: adapt.unary('read', (request, ctx) => corpus.size(ctx, request)),
    importCorpus: adapt.clientStream('work', async (requests, ctx) => {
      const { header, files } = await readUploads<CorpusKey, NewEntry['header'], CorpusInputs>(
        requests,
        { opening: 'corpus', whole: wholeEntries },
      );
      return corpus.import(ctx, header, files);
    }),
    listCorpora: adapt.unary('read', (request, ctx) => corpora.list(ctx, request)),
    getCorpus: adapt.unary('read', async (request, ctx) => ({
      corpus: await corpora.get(ctx, request.corpus),
    })),
    listCorpusEntries: adapt.unary('read', (request, ctx) => corpora.entries(ctx, request)),
    removeCorpusEntries: adapt.unary('work', (request, ctx) => corpora.remove(ctx, request)),
    resetCorpus: adapt.unary('work', (request, ctx) => corpora.reset(ctx, request.corpus)),
    putInputsAside: adapt.unary('result', async (request, ctx) =>
      putAside.add(ctx, await own.under(ctx, request)),
    ),
    listInputsPutAside: adapt.unary('read', (request, ctx) => putAside.list(ctx, request)),
    mergeCorpus: adapt.unary('work', (request, ctx) => merges.begin(ctx, request.corpus)),
    keepMergedInputs: adapt.unary('result', async (request, ctx) =>
      merges.keep(ctx, await own.under(ctx, request)),
    ),
    finishMerge: adapt.unary('result', async (request, ctx) =>
      merges.finish(ctx, await own.under(ctx, request)),
    ),
  } satisfies CorpusServiceServer;
}

const wholeEntries: WholeFiles<NewEntry['header'], CorpusInputs> = {
  named: 'inputs',
  *filesIn({ inputs }) {
    for (const { sha256, content, origin } of inputs) {
      const header = CorpusEntry.create({ sha256, sizeBytes: content.length, origin });
      yield { header, chunks: [content] };
    }
  },
};

/** Entries that fit into one message together, or one entry alone. */
function* messagefuls(rows: readonly CorpusEntryRow[]): Generator<CorpusEntryRow[]> {
  let some: CorpusEntryRow[] = [];
  let bytes = 0;
  for (const row of rows) {
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
function* inChunks(
  input: { sha256: string; content: Buffer; cursor: number },
  revision: number,
): Generator<PullCorpusResponse> {
  const { sha256, content, cursor } = input;
  const entry = CorpusEntry.create({ sha256, sizeBytes: content.length });
  const first = content.subarray(0, chunkBytes);
  yield PullCorpusResponse.create({ entry, cursor, chunk: first, revision });
  for (let at = chunkBytes; at < content.length; at += chunkBytes) {
    yield PullCorpusResponse.create({ cursor, chunk: content.subarray(at, at + chunkBytes) });
  }
}
