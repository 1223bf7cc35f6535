import type {
  CrashReport,
  CrashServiceServer,
  DownloadCrashInputResponse,
} from '../../gen/pandafuzz/v1/crash_service.js';
import type { State } from '../../state/state.js';
import type { Adapter } from '../adapter.js';
import { fileChunks, readUpload } from '../streams/chunks.js';

export function crashHandlers({ crashes, blobs }: State, adapt: Adapter) {
  return {
    reportCrash: adapt.clientStream('result', async (requests, ctx) => {
      const { header, chunks } = await readUpload<CrashReport>(requests);
      return crashes.report(ctx, header, chunks);
    }),
    getCrash: adapt.unary('read', async (request, ctx) => ({
      crash: await crashes.get(ctx, request.crashId),
    })),
    listCrashes: adapt.unary('read', (request, ctx) => crashes.list(ctx, request)),
    listCrashGroups: adapt.unary('read', (request, ctx) => crashes.groups(ctx, request)),
    downloadCrashInput: adapt.serverStream(
      'read',
      async function* ({ crashId, offsetBytes }, ctx): AsyncGenerator<DownloadCrashInputResponse> {
        const crash = await crashes.get(ctx, crashId);
        const { inputSha256: sha256, inputSizeBytes: sizeBytes } = crash;
        yield { sizeBytes, sha256, chunk: Buffer.alloc(0) };
        for await (const chunk of fileChunks(blobs, { sha256, sizeBytes, offsetBytes })) {
          yield { sizeBytes: 0, sha256: '', chunk };
        }
      },
    ),
  } satisfies Partial<CrashServiceServer>;
}
