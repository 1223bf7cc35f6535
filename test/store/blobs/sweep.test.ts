import { readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { newId } from '../../../src/core/ids.js';
import { pruneArtifacts } from '../../../src/store/ops/corpus/prune-artifacts.js';
import { putArtifact } from '../../../src/store/ops/corpus/put-artifact.js';
import { createJob } from '../../../src/store/ops/jobs/create-job.js';
import { readCounters } from '../../../src/store/ops/upkeep/read-counters.js';
import type { ArtifactRow } from '../../../src/store/rows.js';
import { temporaryFolder, testContext } from '../../harness.js';
import { jobInput, tick } from '../inputs.js';
import { Shelf, sha256Of } from './shelf.js';

const inputs = (count: number, about = 'input') =>
  Array.from({ length: count }, (_, i) => Buffer.from(`${about} ${i} ${'.'.repeat(40)}`));

const bytesOnDisk = (directory: string) =>
  readdirSync(join(directory, 'blobs'), { recursive: true, encoding: 'utf8' })
    .map((name) => statSync(join(directory, 'blobs', name)))
    .reduce((sum, found) => sum + (found.isFile() ? found.size : 0), 0);

const aDayMs = 86_400_000;

describe('the sweep', () => {
  test('empties packs that are mostly dead, and loses nothing that is referred to', async () => {
    const shelf = await Shelf.open(temporaryFolder());
    const all = inputs(300);
    await shelf.push(all.slice(0, 150));
    await shelf.push(all.slice(150));
    const before = bytesOnDisk(shelf.directory);
    shelf.remove(all.filter((_, index) => index % 5 > 0));
    const { blobs, bytes } = await shelf.sweep(20);
    expect(blobs).toBe(240);
    const left = all.filter((_, index) => index % 5 === 0);
    expect(await shelf.contents()).toEqual(left.map(String));
    expect(bytesOnDisk(shelf.directory)).toBeLessThan(before / 2);
    expect(bytes).toBeGreaterThan(before / 2);
    await shelf.reopen();
    expect(await shelf.contents()).toEqual(left.map(String));
    const counters = await shelf.store.run(testContext(), readCounters, null);
    const [live] = shelf.query<{ bytes: number }>(
      'SELECT sum(size_bytes + 44) AS bytes FROM blobs WHERE pack_id IS NOT NULL',
    );
    expect(counters['pack_live_bytes']).toBe(live?.bytes);
  });

  test('leaves nothing of a corpus that was removed', async () => {
    const shelf = await Shelf.open(temporaryFolder());
    const all = [...inputs(100), Buffer.alloc(200_000, 'x')];
    await shelf.push(all);
    shelf.remove(all);
    await shelf.sweep(20);
    // The newest pack is written to, and stays.
    expect(bytesOnDisk(shelf.directory)).toBeLessThanOrEqual(100 * 100);
    expect(shelf.query('SELECT * FROM blobs WHERE refs = 0')).toEqual([]);
    expect(await shelf.contents()).toEqual([]);
    expect(await shelf.push(all)).toBe(101);
    expect(await shelf.contents()).toEqual(all.map(String));
  });

  test('leaves bytes on disk for the grace, for copies of the folder', async () => {
    const shelf = await Shelf.open(temporaryFolder());
    const all = [...inputs(100), Buffer.alloc(200_000, 'x')];
    await shelf.push(all);
    const before = bytesOnDisk(shelf.directory);
    shelf.remove(all);
    expect(await shelf.sweep(10, aDayMs)).toMatchObject({ blobs: 0, bytes: 0 });
    expect(bytesOnDisk(shelf.directory)).toBe(before);
  });

  test('takes nothing that is being uploaded, though nothing refers to it yet', async () => {
    const shelf = await Shelf.open(temporaryFolder());
    const all = [...inputs(100), Buffer.alloc(200_000, 'x')];
    const [first, second] = [all.slice(0, 50), all.slice(50)];
    await shelf.push(first);
    shelf.remove(first);
    await shelf.sweep(1);
    // The first half is known and unused, the second is new.
    expect(await shelf.push([...first, ...second], async () => void (await shelf.sweep(20)))).toBe(
      101,
    );
    expect(await shelf.contents()).toEqual(all.map(String));
    await shelf.sweep(20);
    expect(await shelf.contents()).toEqual(all.map(String));
  });

  test('removes nothing while all is held, and goes on afterwards', async () => {
    const shelf = await Shelf.open(temporaryFolder());
    const all = [...inputs(300), Buffer.alloc(200_000, 'x')];
    await shelf.push(all);
    shelf.remove(all);
    const before = bytesOnDisk(shelf.directory);
    // Begun before: it ends soon, and what it has not removed by then stays.
    const [, { release, mark }, other] = await Promise.all([
      shelf.sweep(1, aDayMs),
      shelf.store.blobs.holdAll(),
      shelf.store.blobs.holdAll(),
    ]);
    expect(statSync(mark).size).toBe(0);
    expect(await shelf.sweep(20)).toEqual({ blobs: 0, bytes: 0, damagedPacks: [] });
    expect(bytesOnDisk(shelf.directory)).toBe(before);
    await release();
    await release();
    expect(await shelf.sweep(5)).toMatchObject({ blobs: 0, bytes: 0 });
    await other.release();
    expect((await shelf.sweep(20)).blobs).toBe(301);
    // The newest pack is written to, and stays.
    expect(bytesOnDisk(shelf.directory)).toBeLessThan(before / 2);
  });

  test('removes old files that no row refers to, and no others', async () => {
    const shelf = await Shelf.open(temporaryFolder());
    const blobs = join(shelf.directory, 'blobs');
    const fileOf = (about: string) => {
      const name = sha256Of(Buffer.from(about));
      const path = join(blobs, name.slice(0, 2), name);
      writeFileSync(path, about);
      return path;
    };
    const [old, young] = [fileOf('old'), fileOf('young')];
    const other = join(blobs, '00', 'notes.txt');
    writeFileSync(other, 'not a blob');
    for (const path of [old, other]) utimesSync(path, 1000, 1000);
    const large = Buffer.alloc(200_000, 'x');
    await shelf.push([large]);
    const kept = join(blobs, sha256Of(large).slice(0, 2), sha256Of(large));
    utimesSync(kept, 1000, 1000);
    await shelf.sweep(256, aDayMs);
    expect(() => statSync(old)).toThrow('ENOENT');
    for (const path of [young, other, kept]) expect(statSync(path).isFile()).toBe(true);
  });

  test('removes packs of an earlier process that no row was made for', async () => {
    const shelf = await Shelf.open(temporaryFolder());
    await shelf.push(inputs(5));
    await shelf.store.close();
    const packs = join(shelf.directory, 'blobs/packs');
    const [stray, newest] = ['0000000007.pack', '0000000008.pack'].map((name) => join(packs, name));
    for (const path of [stray, newest]) writeFileSync(path as string, 'left behind');
    utimesSync(stray as string, 1000, 1000);
    await shelf.reopen();
    await shelf.sweep(1, aDayMs);
    expect(readdirSync(packs)).toEqual(['0000000001.pack', '0000000008.pack']);
    expect(statSync(newest as string).size).toBe(0);
    expect(await shelf.contents()).toEqual(inputs(5).map(String));
  });

  test('takes artifacts that no job has, some time after their last upload', async () => {
    const shelf = await Shelf.open(temporaryFolder());
    const { store } = shelf;
    const upload = async (name: string, kind: ArtifactRow['kind'] = 'target') => {
      const bytes = Buffer.from(name);
      const [sha256, sizeBytes] = [sha256Of(bytes), bytes.length];
      const row = { sha256, kind, name, size_bytes: sizeBytes, created_at: tick() };
      const record = () => store.run(testContext(), putArtifact, row);
      await store.blobs.keep(testContext(), { sha256, sizeBytes }, [bytes], record);
      return row;
    };
    const [used, seeds] = [await upload('used'), await upload('seeds', 'seeds')];
    const [unused, again] = [await upload('unused'), await upload('sent again')];
    const job = {
      ...jobInput({ id: newId() }),
      targetSha256: used.sha256,
      seedsSha256: seeds.sha256,
    };
    await store.run(testContext(), createJob, job);
    const olderThan = tick();
    await store.run(testContext(), putArtifact, { ...again, created_at: tick() });
    const slice = { olderThan, limit: 10, now: tick() };
    // And the target of the shelf's own job.
    expect(await store.run(testContext(), pruneArtifacts, slice)).toEqual({
      looked: 4,
      removed: 1,
    });
    expect(await store.run(testContext(), pruneArtifacts, slice)).toEqual({
      looked: 0,
      removed: 0,
    });
    await shelf.sweep(4);
    const pathOf = ({ sha256 }: ArtifactRow) =>
      join(shelf.directory, 'blobs', sha256.slice(0, 2), sha256);
    expect(() => statSync(pathOf(unused))).toThrow('ENOENT');
    for (const row of [used, seeds, again]) expect(statSync(pathOf(row)).isFile()).toBe(true);
  });
});

test('every column with a SHA-256 in the schema counts as a reference, or is known not to be one', async () => {
  const shelf = await Shelf.open(temporaryFolder());
  const columns = shelf.query<{ name: string }>(
    `SELECT tables.name || '.' || columns.name AS name
     FROM sqlite_schema AS tables, pragma_table_info (tables.name) AS columns
     WHERE tables.type = 'table' AND columns.name LIKE '%sha256%' ORDER BY 1`,
  );
  expect(columns.map(({ name }) => name)).toEqual([...references, ...needed, ...otherNames].sort());
  const triggers = shelf.query<{ tbl_name: string; sql: string }>(
    "SELECT tbl_name, sql FROM sqlite_schema WHERE type = 'trigger'",
  );
  for (const column of references) {
    const [table, name] = column.split('.');
    const texts = triggers.flatMap(({ tbl_name, sql }) => (tbl_name === table ? [sql] : []));
    const has = (event: string, row: string) =>
      texts.some(
        (sql) =>
          sql.includes(`AFTER ${event}`) && sql.includes(`${row}.${name}`) && sql.includes('blobs'),
      );
    expect({ column, counts: has('INSERT', 'NEW'), uncounts: has('DELETE', 'OLD') }).toEqual({
      column,
      counts: true,
      uncounts: true,
    });
  }
});

/** Rows that need the bytes: their tables have triggers that count them in `blobs`. */
const references = ['artifacts.sha256', 'corpus_entries.sha256', 'crashes.input_sha256'];
/** Rows that need an artifact: prune-artifacts.ts asks for them. */
const needed = [
  'builds.dictionary_sha256',
  'builds.seeds_sha256',
  'builds.target_sha256',
  'campaign_builds.dictionary_sha256',
  'campaign_builds.seeds_sha256',
  'campaign_builds.target_sha256',
  'coverage_targets.target_sha256',
  'crash_work.target_sha256',
  'jobs.dictionary_sha256',
  'jobs.seeds_sha256',
  'jobs.target_sha256',
];
/** Names of builds and sources that are told, and never read: of crashes, their jobs have them. */
const otherNames = [
  'artifact_uses.sha256',
  'blobs.sha256',
  'corpus_builds.target_sha256',
  'corpus_put_aside.sha256',
  'coverage_files.source_sha256',
  'coverage_reports.target_sha256',
  'coverage_targets.seen_sha256',
  'crash_groups.fixed_in_sha256',
  'crashes.target_sha256',
  'group_builds.target_sha256',
  'reproductions.target_sha256',
  'target_builds.target_sha256',
];
