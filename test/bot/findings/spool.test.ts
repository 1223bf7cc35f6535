import { mkdir, mkdtemp, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { libFuzzer } from '../../../src/bot/engines/libfuzzer/libfuzzer.js';
import { type FoundCrash, Spool, type SpoolEntry } from '../../../src/bot/findings/spool.js';
import { makeRunFolder } from '../../../src/bot/folders/run-folder.js';
import { clearLeftovers } from '../../../src/bot/runs/leftovers.js';
import { silentLog } from '../../../src/core/log.js';
import { CrashContext } from '../../../src/gen/pandafuzz/v1/crash.js';
import { JobSpec } from '../../../src/gen/pandafuzz/v1/job.js';
import { containmentBy } from '../sandbox/contained.js';

const lease = { jobId: '01a209fc-0000-7000-8000-000000000001', attempt: 1, fence: 7 };
let folder: string;
const input = Buffer.from('boom');
const found = (report: string, more: Partial<FoundCrash> = {}): FoundCrash => ({
  lease,
  input,
  report,
  context: undefined,
  hits: 1,
  ...more,
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pandafuzz-spool-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const open = () => Spool.open(join(folder, 'spool'), silentLog);

const engine = libFuzzer({ symbolizer: undefined });
const engines = new Map([[engine.name, { engine, version: '', note: '' }]]);

describe('the spool', () => {
  test('gives back after a restart what was put into it, oldest first', async () => {
    const before = await open();
    const context = CrashContext.fromPartial({
      exitCode: 77,
      command: ['/t', '-a'],
      executions: 5,
    });
    await before.add(found('first report', { context, hits: 3 }));
    await before.add(found('second report', { lease: { ...lease, fence: 8 } }));
    const after = await open();
    expect(after.entries.map(({ report }) => report.report)).toEqual([
      'first report',
      'second report',
    ]);
    const [entry] = after.entries as [SpoolEntry];
    expect(entry.report).toMatchObject({ lease, inputSizeBytes: 4, context, hits: 3 });
    expect(await readFile(entry.input as string, 'utf8')).toBe('boom');
    expect(after.countOf(lease)).toBe(1);
  });

  test('forgets what was acknowledged and keeps aside what was refused', async () => {
    const spool = await open();
    const ids: string[] = [];
    const onAcknowledged = (crashId: string) => void ids.push(crashId);
    const taken = await spool.add({ ...found('taken'), onAcknowledged });
    await spool.acknowledged(taken, 'id of the master');
    expect(ids).toEqual(['id of the master']);
    await spool.refused(await spool.add(found('not taken')), 'no such job');
    expect(spool.entries).toEqual([]);
    expect((await open()).entries).toEqual([]);
    const aside = await readdir(join(folder, 'spool', 'refused'));
    expect(await readdir(join(folder, 'spool', 'refused', aside[0] as string))).toContain('input');
  });

  test('does not take a half-written entry for a crash, nor stumble over a damaged one', async () => {
    await mkdir(join(folder, 'spool', '1.part'), { recursive: true });
    await mkdir(join(folder, 'spool', '2'), { recursive: true });
    await writeFile(join(folder, 'spool', '2', 'report.bin'), '\xff\xff');
    expect((await open()).entries).toEqual([]);
    expect(await readdir(join(folder, 'spool'))).toEqual(['refused']);
  });

  test('makes room on a full disk once, and else keeps a crash in memory until it is sent', async () => {
    const spool = await open();
    // A file in the way of the folder fails as a full disk does: nothing can be written there.
    await rename(join(folder, 'spool'), join(folder, 'aside'));
    await writeFile(join(folder, 'spool'), '');
    const held = await spool.add(found('held'));
    expect(held.input).toEqual(input);
    expect(spool.countOf(lease)).toBe(1);
    const kept = await spool.add(found('kept'), async () => {
      await rm(join(folder, 'spool'));
      await rename(join(folder, 'aside'), join(folder, 'spool'));
    });
    expect(await readFile(kept.input as string, 'utf8')).toBe('boom');
    await spool.acknowledged(held, 'id');
    expect(spool.entries.map(({ report }) => report.report)).toEqual(['kept']);
  });

  test('wakes who waits for a change', async () => {
    const spool = await open();
    const changed = spool.changed(new AbortController().signal);
    await spool.add(found('report'));
    await changed;
  });

  test('saves the crashes of a bot that was killed before it could', async () => {
    const runs = join(folder, 'runs');
    const artifacts = join(runs, `${lease.jobId}_1_7`, 'artifacts');
    await mkdir(artifacts, { recursive: true });
    await mkdir(join(runs, 'of another make'));
    await writeFile(join(artifacts, 'crash-1'), 'boom');
    await writeFile(join(artifacts, 'slow-unit-1'), 'slow');
    const spool = await open();
    const containment = await containmentBy('bubblewrap', folder);
    await clearLeftovers({ runs, spool, engines, containment, log: silentLog });
    expect(spool.entries).toHaveLength(1);
    expect(spool.entries[0]?.report.lease).toEqual(lease);
    expect(await readdir(runs)).toEqual([]);
  });

  test("gives those crashes the report in the sanitizer's file, or that of a replay", async () => {
    const runs = join(folder, 'runs');
    const spec = JobSpec.fromPartial({ targetName: 'target', environment: { FRAME: 'alone' } });
    const run = await makeRunFolder(runs, lease, spec);
    const report = (frame: string) =>
      `==1==ERROR: AddressSanitizer: SEGV on unknown address\n    #0 0x1 in ${frame} /a.c:1\n`;
    await writeFile(run.target, `#!/bin/sh\necho '${report("'$FRAME'")}'; exit 1`, { mode: 0o755 });
    await writeFile(join(run.artifacts, 'crash-1'), 'boom');
    await writeFile(join(run.artifacts, 'crash-2'), 'bang');
    await writeFile(join(run.logs, 'report.7'), report('fuzzing'));
    const written = Date.now() / 1000;
    await utimes(join(run.logs, 'report.7'), written - 60, written - 60);
    await utimes(join(run.artifacts, 'crash-1'), written - 60, written - 60);
    const spool = await open();
    const containment = await containmentBy('bubblewrap', folder);
    await clearLeftovers({ runs, spool, engines, containment, log: silentLog });
    expect(spool.entries.map((entry) => entry.report.report)).toEqual([
      expect.stringContaining('in fuzzing '),
      expect.stringContaining('in alone '),
    ]);
  });
});
