import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { atEnd } from '../endings.js';

/**
 * Takes every lock of the write-ahead log's index (bytes 120 to 127, see
 * sqlite.org/walformat.html), so that neither writes nor reads can begin. Ends
 * when its standard input does.
 */
const script = `
import fcntl, sys
index = open(sys.argv[1], 'r+b')
fcntl.lockf(index, fcntl.LOCK_EX, 8, 120)
print('locked', flush=True)
sys.stdin.read()
`;

/** Nothing in this data folder's database can be read or written until `release`. */
export async function blockDatabase(directory: string): Promise<{ release(): Promise<void> }> {
  const index = join(directory, 'pandafuzz.db-shm');
  const child = spawn('python3', ['-c', script, index], { stdio: ['pipe', 'pipe', 'inherit'] });
  const missing = once(child, 'error').then(([error]) => {
    throw new Error(`python3 is needed to lock the database from outside: ${error}`);
  });
  const exited = once(child, 'exit').catch(() => {});
  const release = async () => {
    child.stdin.end();
    await exited;
  };
  atEnd(release);
  await Promise.race([once(child.stdout, 'data'), missing]);
  missing.catch(() => {});
  return { release };
}
