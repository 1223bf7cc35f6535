import type {
  CorpusServiceServer,
  PullCorpusResponse,
} from '../../gen/pandafuzz/v1/corpus_service.js';
import type { Lease } from '../../gen/pandafuzz/v1/lease.js';
import type { NewEntry } from '../../state/corpus/corpus.js';
import type { State } from '../../state/state.js';
import type { Adapter } from '../adapter.js';
import { chunkBytes, readUploads } from '../streams/chunks.js';

export function corpusHandlers({ corpus, blobs }: State, adapt: Adapter) {
  return {
    pushCorpus: adapt.clientStream('result', async (requests, ctx) => {
      const { header, files } = await readUploads<Lease, NewEntry['header']>(requests, 'lease');
      return corpus.push(ctx, header, files);
    }),
    pullCorpus: adapt.serverStream(
      'read',
      async function* (request, ctx): AsyncGenerator<PullCorpusResponse> {
        for await (const row of corpus.since(ctx, request)) {
          const { sequence: cursor, sha256, size_bytes: sizeBytes } = row;
          const bytes = await blobs.readWhole(sha256);
          yield { entry: { sha256, sizeBytes }, cursor, chunk: bytes.subarray(0, chunkBytes) };
          for (let at = chunkBytes; at < bytes.length; at += chunkBytes) {
            yield { entry: undefined, cursor, chunk: bytes.subarray(at, at + chunkBytes) };
          }
        }
      },
    ),
    getCorpusStats: adapt.unary('read', (request, ctx) => corpus.size(ctx, request)),
  } satisfies CorpusServiceServer;
}
