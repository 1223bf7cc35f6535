import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/*
 * What a test, or a row of `make faults`, started and has to end. Nothing here needs Jest, whose
 * tests end it by cleanup.ts.
 */

const endings: (() => unknown)[] = [];

/** Runs `end` after the test or the row, newest first. */
export function atEnd(end: () => unknown): void {
  endings.push(end);
}

export async function endAll(those = endings): Promise<void> {
  for (let end = those.pop(); end; end = those.pop()) await end();
}

/** Leaves what was started so far to its caller. @returns what ends it */
function laterEnd(): () => Promise<void> {
  const those = endings.splice(0);
  return () => endAll(those);
}

const sharedEndings: (() => Promise<void>)[] = [];

/** What `start` starts is ended after all tests of the file: for `beforeAll`. */
export async function shared<Started>(start: () => Promise<Started>): Promise<Started> {
  try {
    return await start();
  } finally {
    sharedEndings.push(laterEnd());
  }
}

export async function endShared(): Promise<void> {
  for (let end = sharedEndings.pop(); end; end = sharedEndings.pop()) await end();
}

/** An empty folder, gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'pandafuzz-test-'));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A small file with known content. */
export function temporaryFile(content: string) {
  const path = join(temporaryFolder(), 'file');
  const bytes = Buffer.from(content);
  writeFileSync(path, bytes);
  return { path, bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
}
