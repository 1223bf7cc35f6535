import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { atEnd } from '../harness.js';

const holder = fileURLToPath(new URL('./hold-lock.js', import.meta.url));

/** Another process has the write lock of this data folder's database when this resolves. */
export async function lockFromOutside(
  directory: string,
  ms: number,
): Promise<{ released: Promise<void> }> {
  const child = spawn(process.execPath, [holder, join(directory, 'pandafuzz.db'), String(ms)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const released = once(child, 'close').then(() => {});
  atEnd(async () => {
    child.kill('SIGKILL');
    await released;
  });
  await once(child.stdout, 'data');
  return { released };
}
