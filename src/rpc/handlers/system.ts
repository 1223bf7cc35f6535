import { createHash } from 'node:crypto';
import type {
  BackupDatabaseResponse,
  DownloadBlobFileResponse,
  SystemServiceServer,
} from '../../gen/pandafuzz/v1/system_service.js';
import type { State } from '../../state/state.js';
import type { Adapter } from '../adapter.js';
import { chunkBytes } from '../streams/chunks.js';

export function systemHandlers({ system, notifications }: State, adapt: Adapter) {
  return {
    getSystemStats: adapt.unary('read', (_request, ctx) => system.stats(ctx)),
    findIds: adapt.unary('read', (request, ctx) => system.findIds(ctx, request)),
    listNotificationDestinations: adapt.unary('read', async () => ({
      destinations: notifications.list(),
    })),
    testNotification: adapt.unary('work', ({ name }, ctx) => notifications.test(ctx, name)),
    backupDatabase: adapt.serverStream(
      'read',
      async function* (_request, ctx): AsyncGenerator<BackupDatabaseResponse> {
        const copy = await system.copyDatabase(ctx);
        try {
          yield { sizeBytes: copy.sizeBytes, sha256: copy.sha256, chunk: Buffer.alloc(0) };
          for await (const chunk of copy.read(chunkBytes))
            yield { sizeBytes: 0, sha256: '', chunk };
        } finally {
          await copy.remove();
        }
      },
    ),
    holdBlobs: adapt.feed((_request, ctx) => system.holdBlobs(ctx)),
    downloadBlobFile: adapt.serverStream(
      'read',
      async function* (request, ctx): AsyncGenerator<DownloadBlobFileResponse> {
        const { sizeBytes, chunks } = await system.blobFile(ctx, request, chunkBytes);
        const sum = createHash('sha256');
        yield { sizeBytes, chunk: Buffer.alloc(0), sha256: '' };
        for await (const chunk of chunks) {
          sum.update(chunk);
          yield { sizeBytes: 0, chunk, sha256: '' };
        }
        if (request.offsetBytes > 0) return;
        yield { sizeBytes: 0, chunk: Buffer.alloc(0), sha256: sum.digest('hex') };
      },
    ),
  } satisfies Partial<SystemServiceServer>;
}
