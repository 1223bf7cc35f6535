import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { RequestContext } from '../../core/context.js';
import { DiskFullError } from '../../core/errors.js';
import type { DatabaseCopy } from '../store.js';

const program = fileURLToPath(new URL('./backup-process.js', import.meta.url));

/**
 * Copies the database as it is at one moment to `path`, and checks the copy, while work
 * goes on: the copy is a reader, which no writer waits for. In a process of its
 * own, since a running statement cannot be stopped, but a process can: when the
 * context aborts, it is killed, and nothing of it is left.
 *
 * @throws DiskFullError, the context's reason
 */
export async function copyDatabase(
  ctx: RequestContext,
  databasePath: string,
  path: string,
): Promise<DatabaseCopy> {
  const remove = () => rm(path, { force: true });
  try {
    await runCopy(ctx, databasePath, path);
    const { size: sizeBytes } = await stat(path);
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(path)) {
      ctx.signal.throwIfAborted();
      hash.update(chunk);
    }
    const read = (chunkBytes: number) => createReadStream(path, { highWaterMark: chunkBytes });
    return { sizeBytes, sha256: hash.digest('hex'), read, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

function runCopy(ctx: RequestContext, from: string, to: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, from, to], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    // Callers of the master come before callers that wait for a backup.
    if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW);
    const onAbort = () => child.kill('SIGKILL');
    ctx.signal.addEventListener('abort', onAbort, { once: true });
    if (ctx.signal.aborted) onAbort();
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(0, 2000);
    });
    child.once('error', reject);
    child.once('close', (code) => {
      ctx.signal.removeEventListener('abort', onAbort);
      if (ctx.signal.aborted) reject(ctx.signal.reason);
      else if (code === 0) resolve();
      else if (complaint.includes('SQLITE_FULL')) reject(new DiskFullError());
      else reject(new Error(`the copy of the database failed: ${complaint.trim()}`));
    });
  });
}
