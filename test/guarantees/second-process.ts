import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { atEnd } from '../endings.js';

const holder = fileURLToPath(new URL('./hold-lock.js', import.meta.url));

/** Another process has the write lock of this data folder's database, until `release`. */
export async function lockFromOutside(directory: string): Promise<{ release(): Promise<void> }> {
  const child = spawn(process.execPath, [holder, join(directory, 'pandafuzz.db')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  const release = async () => {
    child.stdin.end();
    await closed;
  };
  atEnd(release);
  const [first] = await Promise.race([once(child.stdout, 'data'), closed]);
  if (String(first) !== 'locked\n') throw new Error('the lock of the database could not be had');
  return { release };
}
