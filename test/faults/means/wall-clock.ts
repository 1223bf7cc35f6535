import { execFileSync } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

// The loader puts the machine's own folder for $LIB, as in test/integration/set-up.sh.
const library = '/usr/$LIB/faketime/libfaketimeMT.so.1';

export const noFaketime = 'libfaketime is missing (Debian: libfaketime)';

export function hasFaketime(): boolean {
  const env = { ...process.env, LD_PRELOAD: library, FAKETIME: '@2000-01-01 12:00:00' };
  try {
    return (
      execFileSync('date', ['+%Y'], { env, stdio: ['ignore', 'pipe', 'ignore'] }).toString() ===
      '2000\n'
    );
  } catch {
    return false;
  }
}

/** A wall clock for processes with this environment; their monotonic clock is the machine's. */
export function settableClock(folder: string) {
  const path = join(folder, 'clock');
  const set = (hours: number) => {
    writeFileSync(`${path}.new`, `${hours < 0 ? '' : '+'}${hours}h\n`);
    renameSync(`${path}.new`, path);
  };
  set(0);
  const environment = {
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: path,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  };
  return { set, environment };
}
