import { mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { SanitizerLogs } from '../../../src/bot/findings/sanitizer-logs.js';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pandafuzz-logs-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

/** A report of a process, written this many milliseconds after 1970. */
async function report(pid: number, atMs: number, text = `report of ${pid}`): Promise<void> {
  const path = `${new SanitizerLogs(folder).prefix}.${pid}`;
  await writeFile(path, text);
  await utimes(path, atMs / 1000, atMs / 1000);
}

describe("the sanitizers' files", () => {
  test('go to the artifact written after them, and to one only', async () => {
    const logs = new SanitizerLogs(folder);
    await report(1, 10_000);
    await report(2, 20_000);
    await report(3, 30_000);
    expect(await logs.take([], 20_001)).toBe('report of 2');
    expect(await logs.take([], 30_001)).toBe('report of 3');
    // Older than the artifact before: the report of a process that wrote no artifact.
    expect(await logs.take([])).toBe('');
  });

  test('go to the artifact whose headline names their process', async () => {
    const logs = new SanitizerLogs(folder);
    await report(1, 10_000);
    await report(2, 10_001);
    expect(await logs.take([1], 10_002)).toBe('report of 1');
  });

  test('are given to none where two could be the one', async () => {
    const logs = new SanitizerLogs(folder);
    await report(1, 10_000);
    await report(2, 10_001);
    expect(await logs.take([], 10_002)).toBe('');
    expect(await logs.takeRest()).toBe('report of 2');
    expect(await readdir(folder)).toEqual([]);
  });

  test('are read in bounds, head and tail', async () => {
    await report(1, 10_000, `begin${'x'.repeat(1_000_000)}end`);
    const text = await new SanitizerLogs(folder).take([]);
    expect(text.length).toBeLessThan(80_000);
    expect(text).toMatch(/^beginx+\n\[\.\.\. \d+ bytes left out \.\.\.\]\nx+end$/);
  });

  test('are no links and no folders, which a target may put there', async () => {
    const secret = join(folder, 'secret');
    await writeFile(secret, 'secret');
    await symlink(secret, join(folder, 'report.1'));
    await mkdir(join(folder, 'report.2'));
    expect(await new SanitizerLogs(folder).take([1, 2])).toBe('');
  });
});
