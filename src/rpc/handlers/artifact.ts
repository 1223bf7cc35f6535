import type {
  ArtifactHeader,
  ArtifactServiceServer,
  DownloadArtifactResponse,
} from '../../gen/pandafuzz/v1/artifact_service.js';
import type { State } from '../../state/state.js';
import type { Adapter } from '../adapter.js';
import { fileChunks, readUpload } from '../streams/chunks.js';

export function artifactHandlers({ artifacts, blobs }: State, adapt: Adapter) {
  return {
    uploadArtifact: adapt.clientStream('work', async (requests, ctx) => {
      const { header, chunks } = await readUpload<ArtifactHeader>(requests);
      return artifacts.upload(ctx, header, chunks);
    }),
    getUpload: adapt.unary('read', (request, ctx) => artifacts.uploadState(ctx, request)),
    downloadArtifact: adapt.serverStream(
      'read',
      async function* ({ sha256, offsetBytes }, ctx): AsyncGenerator<DownloadArtifactResponse> {
        const artifact = await artifacts.get(ctx, sha256);
        const { sizeBytes } = artifact;
        yield { artifact, chunk: Buffer.alloc(0) };
        for await (const chunk of fileChunks(blobs, { sha256, sizeBytes, offsetBytes })) {
          yield { artifact: undefined, chunk };
        }
      },
    ),
  } satisfies Partial<ArtifactServiceServer>;
}
