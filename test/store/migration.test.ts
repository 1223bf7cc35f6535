import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import Database from 'better-sqlite3';
import { AlreadyExistsError } from '../../src/core/errors.js';
import { createJob } from '../../src/store/ops/jobs/create-job.js';
import { openStore, temporaryFolder, testContext } from '../harness.js';
import { Scene } from '../state/crashes/scene.js';
import { given } from '../steps.js';
import { jobInput } from './inputs.js';

const fixture = 'test/store/fixtures/0.1.0.db.gz';

/** A folder with a database that PandaFuzz 0.1.0 has written. */
function oldDatabase(): string {
  const directory = temporaryFolder();
  writeFileSync(join(directory, 'pandafuzz.db'), gunzipSync(readFileSync(fixture)));
  return directory;
}

function read<Row>(directory: string, sql: string): Row[] {
  const db = new Database(join(directory, 'pandafuzz.db'), { readonly: true });
  try {
    return db.prepare<[], Row>(sql).all();
  } finally {
    db.close();
  }
}

const everyCrash =
  'SELECT id, job_id, input_sha256, report, late, found_at FROM crashes ORDER BY id';
const page = { pageSize: 1000, pageToken: '', groupId: '', jobId: '' };

describe('a database of 0.1.0', () => {
  test('is migrated with everything that was in it', async () => {
    const directory = oldDatabase();
    const before = read(directory, everyCrash);
    expect(before.length).toBeGreaterThan(40);
    const store = await openStore({ directory });
    await store.close();
    expect(read(directory, everyCrash)).toEqual(before);
    expect(read(directory, 'PRAGMA foreign_key_check')).toEqual([]);
    const counted = read<{ name: string; value: number }>(
      directory,
      `SELECT 'crash_inputs_kept' AS name, count(*) AS value FROM crashes
       UNION ALL SELECT 'crash_hits', sum(hits) FROM crashes
       UNION ALL SELECT 'crash_groups', count(*) FROM crash_groups`,
    );
    const counters = read<{ name: string }>(directory, 'SELECT name, value FROM counters');
    expect(counters).toEqual(expect.arrayContaining(counted));
    const wrong = read(
      directory,
      `SELECT id FROM crash_groups
       WHERE count <> (SELECT count(*) FROM crashes WHERE group_id = crash_groups.id)
         OR jobs <> (SELECT count(DISTINCT job_id) FROM crashes WHERE group_id = crash_groups.id)
         OR hits <> (SELECT sum(hits) FROM group_builds WHERE group_id = crash_groups.id)`,
    );
    expect(wrong).toEqual([]);
  });

  test('has its crashes read anew and regrouped as the master starts', async () => {
    const directory = oldDatabase();
    const before = read<{ id: string; group_id: string }>(
      directory,
      'SELECT id, group_id FROM crashes ORDER BY id',
    );
    const scene = await Scene.open(undefined, directory);
    await scene.state.regrouping.caughtUp(testContext().signal);
    const { crashes } = await scene.state.crashes.list(testContext(), page);
    expect(crashes.map(({ id }) => id).reverse()).toEqual(before.map(({ id }) => id));
    const race = crashes.filter(({ kind }) => kind === 'data-race');
    expect(race.length).toBeGreaterThan(0);
    const overflow = crashes.find(({ kind }) => kind === 'heap-buffer-overflow');
    expect(overflow).toMatchObject({
      access: expect.stringMatching(/read|write/),
      project: 'default',
    });
    const groups = await scene.groups({ pageSize: 1000 });
    expect(groups.reduce((sum, { count }) => sum + count, 0)).toBe(before.length);
    expect(await scene.stats()).toMatchObject({ crashGroups: groups.length });
    // Unreadable reports of a target are one group, and every other says what it is of.
    const unknown = groups.filter(({ kind }) => kind === 'unknown');
    expect(unknown.map(({ targetName }) => targetName).sort()).toEqual(['demo', 'parser']);
    // Every id that people noted still leads somewhere.
    for (const { group_id: id } of before) {
      const { count, mergedInto } = await scene.group(id);
      expect(count > 0).toBe(mergedInto === '');
    }
    expect((await scene.regroup(true)).moves).toEqual([]);
  });

  test('takes a request that it answered as the same one when it comes again', async () => {
    const directory = oldDatabase();
    const [old] = read<{ id: string; request_id: string; spec: string; target_sha256: string }>(
      directory,
      'SELECT id, request_id, spec, target_sha256 FROM jobs WHERE request_id IS NOT NULL',
    );
    const { id, request_id: requestId, spec, target_sha256: targetSha256 } = given(old);
    const store = await openStore({ directory });
    const repeat = (project: string) =>
      store.run(testContext(), createJob, {
        ...jobInput({ requestId }),
        project,
        targetSha256,
        targetName: 'demo',
        spec: JSON.stringify({ ...JSON.parse(spec), project }),
      });
    expect((await repeat('default')).earlier?.id).toBe(id);
    await expect(repeat('another')).rejects.toBeInstanceOf(AlreadyExistsError);
  });
});
