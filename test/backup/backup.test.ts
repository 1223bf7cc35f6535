import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import Database from 'better-sqlite3';
import { takeBackup } from '../../src/backup/backup.js';
import { fromLine } from '../../src/backup/from-master.js';
import { checkBackup, putBack } from '../../src/backup/restore.js';
import { takeBlobs } from '../../src/backup/take-blobs.js';
import { unary } from '../../src/client/call.js';
import type { CorpusInput } from '../../src/client/corpus.js';
import { failureOf } from '../../src/client/failure.js';
import { downloadBackup } from '../../src/client/transfer.js';
import { JobOutcome, JobState } from '../../src/gen/pandafuzz/v1/job.js';
import { listJobs } from '../../src/operator/lists.js';
import { BlobFolder } from '../../src/store/blobs.js';
import { DatabaseFile } from '../../src/store/sqlite/database-file.js';
import { pandafuzz } from '../cli/run.js';
import { runMasterFor, temporaryFolder } from '../harness.js';
import { ScriptedBot } from '../scripted-bot.js';
import { createJob, given, pulledLease, registerBot } from '../steps.js';
import { crash, inputs, inputsOf, push, targetName } from './scene.js';

/** The scripted bots do not beat, and no job is made but theirs. */
const settings = { PANDAFUZZ_LEASES_TTL: '10m', PANDAFUZZ_CRASHES_REPRODUCE: 'off' };
const { signal } = new AbortController();
/** Fences of a new epoch are above this; of the first there are a few. */
const firstOfANewEpoch = 2 ** 26;

describe('a backup under writes, restored under bots that hold leases', () => {
  test('has what was acknowledged before it, whole, and nothing runs under two leases', async () => {
    const [home, directory] = [temporaryFolder(), temporaryFolder()];
    const { connection, master } = await runMasterFor(settings, directory);
    const backup = join(home, 'backup');
    const job = await createJob(connection, { targetName });
    const northId = (await registerBot(connection, 'north')).id;
    const southId = (await registerBot(connection, 'south')).id;
    const north = new ScriptedBot(connection, northId);
    await north.hello(1);
    const lease = await north.take();
    await crash(connection, lease);
    const acknowledged: CorpusInput[] = inputs(100);
    await push(connection, lease, acknowledged);

    // While it writes: no bot has that engine, so the jobs only wait.
    const jobs: string[] = [job.id];
    let isOver = false;
    const writing = (async () => {
      for (let written = 0; !isOver && written < 200; written++) {
        const some = inputs(3);
        await push(connection, lease, some);
        acknowledged.push(...some);
        const spec = { engine: 'honggfuzz', targetSha256: given(job.spec).targetSha256 };
        jobs.push((await createJob(connection, spec)).id);
      }
    })();
    const [jobsBefore, inputsBefore] = [jobs.length, acknowledged.length];
    const taken = await takeBackup(connection, backup, signal);
    isOver = true;
    await writing;
    expect(jobs.length).toBeGreaterThan(jobsBefore);
    expect(JSON.parse(readFileSync(join(backup, 'backup.json'), 'utf8'))).toEqual(taken.manifest);
    expect(taken.tally.lost).toEqual([]);
    expect(readdirSync(home)).toEqual(['backup']);
    const { sha256 } = given(acknowledged[100]);
    const file = join('blobs', sha256.slice(0, 2), sha256);
    expect(statSync(join(backup, file)).ino).toBe(statSync(join(directory, file)).ino);

    // After the backup the job fails, and another bot gets its next attempt.
    await north.done(lease, JobOutcome.FAILED);
    north.leave();
    const south = new ScriptedBot(connection, southId);
    await south.hello(1);
    const later = await south.take();
    expect(later).toMatchObject({ jobId: job.id, attempt: 2 });
    const to = { path: backup, directory };
    await expect(putBack({ ...to, mayReplace: true }, signal)).rejects.toThrow(
      /belongs to another master .*: stop that one/,
    );
    await master.stop();
    await expect(putBack({ ...to, mayReplace: false }, signal)).rejects.toThrow(
      /is not empty: give --force/,
    );
    const { keptAside } = await putBack({ ...to, mayReplace: true }, signal);
    expect(readdirSync(given(keptAside))).toContain('pandafuzz.db');
    const again = await runMasterFor(settings, directory);

    const filter = { state: JobState.UNSPECIFIED, limit: 10_000 };
    const listed = (await listJobs(again.connection, filter)).map(({ id }) => id);
    expect(jobs.slice(0, jobsBefore).filter((id) => !listed.includes(id))).toEqual([]);
    expect(listed.filter((id) => !jobs.includes(id))).toEqual([]);
    const found = await inputsOf(again.connection);
    const names = acknowledged.map((input) => input.sha256);
    expect(names.slice(0, inputsBefore).filter((name) => !found.has(name))).toEqual([]);
    expect([...found].filter((name) => !names.includes(name))).toEqual([]);

    // The lease of the backup goes on, the later one does not; and no fence is given out twice.
    const southAgain = new ScriptedBot(again.connection, southId);
    expect((await southAgain.hello(0, [later])).leases).toMatchObject([{ keep: false }]);
    const northAgain = new ScriptedBot(again.connection, northId);
    expect((await northAgain.hello(0, [lease])).leases).toMatchObject([{ keep: true }]);
    const { jobs: service } = again.connection;
    const result = { outcome: JobOutcome.COMPLETED, message: '', statistics: undefined };
    const late = unary(service, service.completeJob, { lease: later, result });
    expect(failureOf(await late.catch((error) => error))?.reason).toBe('STALE_LEASE');
    await northAgain.done(lease, JobOutcome.FAILED);
    const next = await pulledLease(again.connection, 'west');
    expect(next).toMatchObject({ jobId: job.id, attempt: 2 });
    expect(next.fence).toBeGreaterThan(firstOfANewEpoch);
  });
});

describe('a backup', () => {
  test('that is damaged is listed by blob, restored for the rest, and mended by what comes again', async () => {
    const { home, run, directory, lease, connection, all } = await smallMaster();
    // The same over the line, as from another machine.
    const path = join(home, 'copy.db');
    await downloadBackup(connection, path);
    const database = DatabaseFile.open(path);
    const to = new BlobFolder(join(home, 'blobs'));
    const take = fromLine(connection, signal);
    const tally = await takeBlobs({ database, to, take, signal, onProgress: () => {} });
    database.close();
    expect(tally).toMatchObject({ blobs: all.length + 2, lostCount: 0 });
    expect(await take({ packId: 77 }, join(home, 'none'))).toBe(false);

    const large = given(all.at(-1)).sha256;
    const inBackup = (...names: string[]) => join(home, 'backup', ...names);
    // Hard links: the master keeps the bytes of its own.
    const broken = inBackup('blobs', large.slice(0, 2), large);
    const bytes = readFileSync(broken);
    rewrite(broken, bytes.fill(0, 10, 20));
    const pack = inBackup('blobs', 'packs', '0000000001.pack');
    const packed = readFileSync(pack);
    rewrite(pack, packed.fill(0, 60, 61));
    const checked = await run('restore', '--check', 'backup', '--json');
    expect(checked.code).toBe(65);
    const { lost } = JSON.parse(checked.out);
    expect(lost).toHaveLength(2);
    expect(lost).toContainEqual({ sha256: large, sizeBytes: 100_000, why: 'damaged' });
    expect(checked.err).toContain(`${large} damaged (97.7 KiB)`);

    const restored = await run('restore', 'backup', '--to', 'restored');
    expect(restored).toMatchObject({
      code: 65,
      out: expect.stringContaining('restored to restored'),
    });
    const again = await runMasterFor(settings, join(home, 'restored'));
    expect((await inputsOf(again.connection)).size).toBe(all.length - 2);
    await push(again.connection, lease, all);
    expect((await inputsOf(again.connection)).size).toBe(all.length);
    expect(readdirSync(directory)).toContain('pandafuzz.db');
  });

  test('is refused where it did not finish, is of another program, or its database is damaged', async () => {
    const { home, directory, connection } = await smallMaster();
    const backup = join(home, 'backup');
    const inBackup = (name: string) => join(backup, name);
    await expect(takeBackup(connection, backup, signal)).rejects.toThrow(
      /is not empty: name a new folder for each backup/,
    );
    const manifest = readFileSync(inBackup('backup.json'));
    rewrite(inBackup('backup.json'), Buffer.from('{"format": 1, "isComplete": false}'));
    await expect(checkBackup(backup, signal)).rejects.toThrow(/is a backup that did not finish/);
    rewrite(inBackup('backup.json'), manifest);
    const database = readFileSync(inBackup('pandafuzz.db'));
    rewrite(inBackup('pandafuzz.db'), Buffer.from(database).fill(0xff, 40_000, 41_000));
    const to = { path: backup, directory: join(home, 'restored'), mayReplace: false };
    await expect(putBack(to, signal)).rejects.toMatchObject({
      exitCode: 65,
      message: expect.stringContaining('is not what its manifest says; use another backup'),
    });
    // Without its manifest, SQLite's own check is what is left.
    rmSync(inBackup('backup.json'));
    await expect(putBack(to, signal)).rejects.toMatchObject({
      exitCode: 65,
      message: expect.stringContaining('is damaged'),
    });
    expect(readdirSync(home)).toEqual(['backup']);
    const nowhere = { ...to, path: join(home, 'nowhere') };
    await expect(putBack(nowhere, signal)).rejects.toMatchObject({ exitCode: 66 });

    // A copy of the data folder that was made by hand, with the log of the database.
    cpSync(directory, join(home, 'by-hand'), { recursive: true });
    expect(existsSync(join(home, 'by-hand/pandafuzz.db-wal'))).toBe(true);
    const found = await putBack({ ...to, path: join(home, 'by-hand') }, signal);
    expect(found.tally).toMatchObject({ blobs: 13, lostCount: 0 });
    const copy = new Database(join(home, 'restored/pandafuzz.db'), { readonly: true });
    expect(copy.prepare('SELECT is_copy FROM epochs').pluck().get()).toBe(1);
    expect(copy.prepare('SELECT count(*) FROM corpus_entries').pluck().get()).toBe(11);
    copy.close();
  });
});

/** A master with a small corpus and a crash, and a backup of it. */
async function smallMaster() {
  const [home, directory] = [temporaryFolder(), temporaryFolder()];
  const { connection, address } = await runMasterFor(settings, directory);
  const run = (...args: string[]) =>
    pandafuzz(args, { cwd: home, environment: { PANDAFUZZ_MASTER: address } });
  await createJob(connection, { targetName });
  const lease = await pulledLease(connection);
  const all = inputs(10);
  await push(connection, lease, all);
  await crash(connection, lease);
  await takeBackup(connection, join(home, 'backup'), signal);
  return { home, directory, connection, run, lease, all };
}

/** In a file of its own: the bytes may be a master's, too. */
function rewrite(path: string, bytes: Buffer): void {
  rmSync(path);
  writeFileSync(path, bytes);
}
