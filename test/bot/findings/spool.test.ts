import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { aflPlusPlus } from '../../../src/bot/engines/aflplusplus/aflplusplus.js';
import { libFuzzer } from '../../../src/bot/engines/libfuzzer/libfuzzer.js';
import { HitsOnDisk } from '../../../src/bot/findings/hits-on-disk.js';
import { LeftoverHits } from '../../../src/bot/findings/leftover-hits.js';
import { type FoundCrash, Spool, type SpoolEntry } from '../../../src/bot/findings/spool.js';
import { UnsentInputs } from '../../../src/bot/findings/unsent-inputs.js';
import { EngineStates } from '../../../src/bot/folders/engine-states.js';
import { makeRunFolder } from '../../../src/bot/folders/run-folder.js';
import { clearLeftovers } from '../../../src/bot/runs/leftovers.js';
import { connect } from '../../../src/client/connect.js';
import { silentLog } from '../../../src/core/log.js';
import { CrashContext } from '../../../src/gen/pandafuzz/v1/crash.js';
import { JobSpec } from '../../../src/gen/pandafuzz/v1/job.js';
import { containmentBy } from '../sandbox/contained.js';
import { ScriptedMaster } from '../scripted-master.js';

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

const leftover = async () => ({
  states: new EngineStates(join(folder, 'states')),
  unsent: new UnsentInputs(join(folder, 'unsent')),
  hits: await LeftoverHits.open(join(folder, 'hits')),
});

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
    await clearLeftovers({
      runs,
      ...(await leftover()),
      spool,
      engines,
      containment: await containmentBy('bubblewrap', folder),
      log: silentLog,
    });
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
    await clearLeftovers({
      runs,
      ...(await leftover()),
      spool,
      engines,
      containment: await containmentBy('bubblewrap', folder),
      log: silentLog,
    });
    expect(spool.entries.map((entry) => entry.report.report)).toEqual([
      expect.stringContaining('in fuzzing '),
      expect.stringContaining('in alone '),
    ]);
  });

  test('saves crashes that are still among the files of an engine', async () => {
    const runs = join(folder, 'runs');
    const spec = JobSpec.fromPartial({ targetName: 'target', engine: 'aflplusplus' });
    const run = await makeRunFolder(runs, lease, spec);
    await writeFile(run.target, '#!/bin/sh\nkill -SEGV $$', { mode: 0o755 });
    const crashes = join(run.state, 'out', 'main', 'crashes');
    await mkdir(crashes, { recursive: true });
    await writeFile(join(crashes, 'id:000000,sig:11,src:000000,time:9,execs:9,op:havoc'), 'boom');
    const programs = { fuzz: 'afl-fuzz', tmin: undefined, cmin: undefined, showmap: undefined };
    const afl = aflPlusPlus({ ...programs, version: '', symbolizer: undefined });
    const found = new Map([...engines, [afl.name, { engine: afl, version: '', note: '' }]]);
    const spool = await open();
    const containment = await containmentBy('bubblewrap', folder);
    const left = { ...(await leftover()), spool, containment, log: silentLog };
    await clearLeftovers({ ...left, runs, engines: found });
    expect(spool.entries.map(({ report }) => report.inputSizeBytes)).toEqual([4]);
    expect(await readdir(runs)).toEqual([]);
  });

  test('drops what is not distinct first when it is full, the oldest first, and counts it', async () => {
    const spool = await Spool.open(join(folder, 'spool'), silentLog, {
      entries: 4,
      bytes: 2 ** 20,
    });
    for (const [report, key] of [
      ['a 1', 'a'],
      ['b 1', 'b'],
      ['a 2', 'a'],
      ['unreadable', ''],
    ] as const) {
      await spool.add(found(report, { key }));
    }
    const reports = () => spool.entries.map((entry) => entry.report.report);
    await spool.add(found('c 1', { key: 'c' }));
    expect(reports()).toEqual(['b 1', 'a 2', 'unreadable', 'c 1']);
    await spool.add(found('b 2', { key: 'b' }));
    expect(reports()).toEqual(['a 2', 'unreadable', 'c 1', 'b 2']);
    expect(spool.droppedOf(lease)).toEqual({ inputs: 2, distinct: 0 });
    await spool.add(found('d 1', { key: 'd' }));
    expect(reports()).toEqual(['unreadable', 'c 1', 'b 2', 'd 1']);
    expect(spool.droppedOf(lease)).toEqual({ inputs: 3, distinct: 1 });
    const after = await Spool.open(join(folder, 'spool'), silentLog, {
      entries: 4,
      bytes: 2 ** 20,
    });
    await after.add(found('c 2', { key: 'c' }));
    expect(after.entries.map((entry) => entry.report.report)).toEqual([
      'unreadable',
      'b 2',
      'd 1',
      'c 2',
    ]);
  });

  test('has a bound of bytes, too', async () => {
    const bounds = { entries: 100, bytes: 5000 };
    const spool = await Spool.open(join(folder, 'spool'), silentLog, bounds);
    for (let i = 0; i < 9; i++) {
      await spool.add(found('', { input: Buffer.alloc(1000, i), key: `${i}` }));
    }
    expect(spool.entries.map(({ report }) => report.inputSizeBytes)).toEqual(Array(5).fill(1000));
    expect(spool.droppedOf(lease)).toEqual({ inputs: 4, distinct: 4 });
  });

  test('gets the hits that a killed bot has counted, and those of sent crashes wait for the master', async () => {
    const runs = join(folder, 'runs');
    const run = await makeRunFolder(runs, lease, JobSpec.fromPartial({ targetName: 'target' }));
    const crashId = '01a209fc-0000-7000-8000-0000000000aa';
    const spool = await open();
    const { inputSha256: sha256 } = (await spool.add(found('waiting', { key: 'a' }))).report;
    const findings = {
      totals: () => [
        { sha256, crashId: '', total: 7 },
        { sha256: '0'.repeat(64), crashId, total: 9 },
      ],
    };
    const onDisk = new HitsOnDisk({ folder: run.path, findings, log: silentLog });
    onDisk.changed();
    await onDisk.close();
    const { states, unsent, hits } = await leftover();
    const containment = await containmentBy('bubblewrap', folder);
    await clearLeftovers({
      runs,
      states,
      unsent,
      hits,
      spool,
      engines,
      containment,
      log: silentLog,
    });
    expect((await open()).entries.map(({ report }) => report.hits)).toEqual([7]);
    const master = await new ScriptedMaster().start();
    const connection = connect(master.address);
    await hits.send(connection, silentLog, new AbortController().signal);
    connection.close();
    master.stop();
    expect(master.hits).toEqual([{ lease, hits: [{ crashId, hits: 9 }] }]);
    expect(await readdir(join(folder, 'hits'))).toEqual([]);
  });

  test('inputs that a killed bot had found go to the next run of their target, and no other', async () => {
    const runs = join(folder, 'runs');
    const spec = JobSpec.fromPartial({ targetName: 'target', engine: 'libfuzzer' });
    const run = await makeRunFolder(runs, lease, spec);
    const name = createHash('sha1').update(input).digest('hex');
    await writeFile(join(run.corpus, name), input);
    await writeFile(join(run.corpus, 'f'.repeat(64)), 'brought from the master');
    const spool = await open();
    const { states, unsent, hits } = await leftover();
    const containment = await containmentBy('bubblewrap', folder);
    await clearLeftovers({
      runs,
      states,
      unsent,
      hits,
      spool,
      engines,
      containment,
      log: silentLog,
    });
    const [other, same] = [join(folder, 'other'), join(folder, 'same')];
    await mkdir(other);
    await mkdir(same);
    await unsent.take({ ...spec, project: 'another' }, other);
    await unsent.take(spec, same);
    expect([await readdir(other), await readdir(same)]).toEqual([[], [name]]);
    expect(await readFile(join(same, name))).toEqual(input);
  });
});
