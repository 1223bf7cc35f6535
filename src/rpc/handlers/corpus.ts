import {
  CorpusEntry,
  type CorpusKey,
  type CorpusServiceServer,
  PullCorpusResponse,
} from '../../gen/pandafuzz/v1/corpus_service.js';
import type { Lease } from '../../gen/pandafuzz/v1/lease.js';
import type { NewEntry } from '../../state/corpus/corpus.js';
import type { State } from '../../state/state.js';
import type { Adapter } from '../adapter.js';
import { chunkBytes, readUploads } from '../streams/chunks.js';

export function corpusHandlers(
  { corpus, corpora, putAside, merges, blobs }: State,
  adapt: Adapter,
) {
  return {
    pushCorpus: adapt.clientStream('result', async (requests, ctx) => {
      const { header, files } = await readUploads<Lease, NewEntry['header']>(requests, 'lease');
      return corpus.push(ctx, header, files);
    }),
    pullCorpus: adapt.serverStream(
      'read',
      async function* (request, ctx): AsyncGenerator<PullCorpusResponse> {
        let told = 0;
        for await (const { revision, rows } of corpus.since(ctx, request)) {
          if (rows.length === 0 && revision !== told && request.revision > 0) {
            yield PullCorpusResponse.create({ revision });
          }
          for (const { sequence: cursor, sha256, size_bytes: sizeBytes } of rows) {
            const bytes = await blobs.readWhole(sha256);
            const entry = CorpusEntry.create({ sha256, sizeBytes });
            const first = bytes.subarray(0, chunkBytes);
            yield { entry, cursor, chunk: first, revision: told === 0 ? revision : 0 };
            told = revision;
            for (let at = chunkBytes; at < bytes.length; at += chunkBytes) {
              const chunk = bytes.subarray(at, at + chunkBytes);
              yield { entry: undefined, cursor, chunk, revision: 0 };
            }
          }
        }
      },
    ),
    getCorpusStats: adapt.unary('read', (request, ctx) => corpus.size(ctx, request)),
    importCorpus: adapt.clientStream('work', async (requests, ctx) => {
      const { header, files } = await readUploads<CorpusKey, NewEntry['header']>(
        requests,
        'corpus',
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
    putInputsAside: adapt.unary('result', (request, ctx) => putAside.add(ctx, request)),
    listInputsPutAside: adapt.unary('read', (request, ctx) => putAside.list(ctx, request)),
    mergeCorpus: adapt.unary('work', (request, ctx) => merges.begin(ctx, request.corpus)),
    keepMergedInputs: adapt.unary('result', (request, ctx) => merges.keep(ctx, request)),
    finishMerge: adapt.unary('result', (request, ctx) => merges.finish(ctx, request)),
  } satisfies CorpusServiceServer;
}
