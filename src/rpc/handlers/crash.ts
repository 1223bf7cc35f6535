import type {
  CrashReport,
  CrashServiceServer,
  DownloadCrashInputResponse,
} from '../../gen/pandafuzz/v1/crash_service.js';
import type { State } from '../../state/state.js';
import type { Adapter } from '../adapter.js';
import { fileChunks, readUpload } from '../streams/chunks.js';

export function crashHandlers(state: State, adapt: Adapter) {
  const { crashes, crashGroups, crashDecisions, crashWork, regrouping, blobs, own } = state;
  return {
    reportCrash: adapt.clientStream('result', async (requests, ctx) => {
      const { header, chunks } = await readUpload<CrashReport>(requests);
      return crashes.report(ctx, await own.under(ctx, header), chunks);
    }),
    getCrash: adapt.unary('read', async (request, ctx) => ({
      crash: await crashes.get(ctx, request.crashId),
    })),
    listCrashes: adapt.unary('read', (request, ctx) => crashes.list(ctx, request)),
    reportCrashHits: adapt.unary('result', async (request, ctx) => {
      await crashes.reportHits(ctx, await own.under(ctx, request));
      return {};
    }),
    listCrashGroups: adapt.unary('read', (request, ctx) => crashGroups.list(ctx, request)),
    getCrashGroup: adapt.unary('read', ({ groupId }, ctx) => crashGroups.get(ctx, groupId)),
    setCrashGroupStatus: adapt.unary('work', async (request, ctx) => ({
      group: await crashGroups.setStatus(ctx, request),
    })),
    mergeCrashGroups: adapt.unary('work', (request, ctx) => crashDecisions.merge(ctx, request)),
    splitCrashGroup: adapt.unary('work', (request, ctx) => crashDecisions.split(ctx, request)),
    undoCrashDecision: adapt.unary('work', async (request, ctx) => ({
      decision: await crashDecisions.undo(ctx, request),
    })),
    listCrashDecisions: adapt.unary('read', (request, ctx) => crashDecisions.list(ctx, request)),
    regroupCrashes: adapt.serverStream('work', ({ dryRun }, ctx) =>
      regrouping.regroup(ctx.signal, { isDry: dryRun }),
    ),
    reproduceCrash: adapt.unary('work', (request, ctx) => crashWork.reproduce(ctx, request)),
    minimiseCrash: adapt.unary('work', (request, ctx) => crashWork.minimise(ctx, request)),
    verifyBuild: adapt.unary('work', (request, ctx) => crashWork.verify(ctx, request)),
    reportReproduction: adapt.unary('result', async (request, ctx) =>
      crashWork.report(ctx, await own.under(ctx, request)),
    ),
    downloadCrashInput: adapt.serverStream(
      'read',
      async function* ({ crashId, offsetBytes }, ctx): AsyncGenerator<DownloadCrashInputResponse> {
        const crash = await crashes.get(ctx, crashId);
        const { inputSha256: sha256, inputSizeBytes: sizeBytes } = crash;
        yield { sizeBytes, sha256, chunk: Buffer.alloc(0) };
        for await (const chunk of fileChunks(ctx, blobs, { sha256, sizeBytes, offsetBytes })) {
          yield { sizeBytes: 0, sha256: '', chunk };
        }
      },
    ),
  } satisfies Partial<CrashServiceServer>;
}
