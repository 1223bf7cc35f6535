import type {
  CorpusServiceServer,
  PullCorpusResponse,
} from '../../gen/pandafuzz/v1/corpus_service.js';
import type { Lease } from '../../gen/pandafuzz/v1/lease.js';
import type { NewEntry } from '../../state/corpus.js';
import type { State } from '../../state/state.js';
import type { Adapter } from '../adapter.js';
import { fileChunks, readUploads } from '../chunks.js';

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
          yield { entry: { sha256, sizeBytes }, cursor, chunk: Buffer.alloc(0) };
          for await (const chunk of fileChunks(blobs, { sha256, sizeBytes, offsetBytes: 0 })) {
            yield { entry: undefined, cursor, chunk };
          }
        }
      },
    ),
    getCorpusStats: adapt.unary('read', (request, ctx) => corpus.size(ctx, request)),
  } satisfies CorpusServiceServer;
}
