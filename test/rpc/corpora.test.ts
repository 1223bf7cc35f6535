import { status as Code } from '@grpc/grpc-js';
import { describe, expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import type { Connection } from '../../src/client/connect.js';
import { corpusEntries, importCorpus } from '../../src/client/corpora.js';
import { corpusInput, pullCorpus, pushCorpus } from '../../src/client/corpus.js';
import { failureOf } from '../../src/client/failure.js';
import { formatAddress } from '../../src/config/quantities.js';
import { newId } from '../../src/core/ids.js';
import {
  type CorpusKey,
  CorpusOrigin,
  InputPutAside,
  PutAsideReason,
} from '../../src/gen/pandafuzz/v1/corpus_service.js';
import { JobKind } from '../../src/gen/pandafuzz/v1/job.js';
import type { Lease } from '../../src/gen/pandafuzz/v1/lease.js';
import { runMasterFor, temporaryFolder } from '../harness.js';
import {
  createJob,
  eventually,
  given,
  metric,
  pulledLease,
  registerBot,
  uploadTarget,
} from '../steps.js';

const png: CorpusKey = { project: 'default', targetName: 'png' };
const inputs = (...texts: string[]) => texts.map((text) => corpusInput(Buffer.from(text)));
const sha = (text: string) => corpusInput(Buffer.from(text)).sha256;

async function get({ corpora }: Connection, corpus = png) {
  return given((await unary(corpora, corpora.getCorpus, { corpus })).corpus);
}

/** The inputs that a pull brings, and the revision that it tells. */
async function pulled(connection: Connection, what: object = {}) {
  const texts: string[] = [];
  let revision = 0;
  const onRevision = (now: number) => {
    revision = now;
  };
  for await (const { bytes } of pullCorpus(connection, { ...png, ...what }, {}, onRevision)) {
    texts.push(bytes.toString());
  }
  return { texts, revision };
}

const refusalOf = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error) => failureOf(error),
  );

/** The lease of the merge job, for a bot that merges. */
async function mergeLease(connection: Connection): Promise<Lease> {
  const { corpora, jobs } = connection;
  await unary(corpora, corpora.mergeCorpus, { corpus: png });
  const bot = await registerBot(connection, newId(), { engines: ['libfuzzer-merge'] });
  const wish = { botId: bot.id, waitMs: 10_000, leaseTtlMs: 0 };
  const { assignment } = await unary(jobs, jobs.assignJob, wish);
  expect(given(assignment).spec?.kind).toBe(JobKind.MERGE);
  return given(given(assignment).lease);
}

const figures = (coverage: number) => ({ coverage, features: 2 * coverage });

async function merged(
  connection: Connection,
  lease: Lease,
  how: { kept: string[]; revision: number; cursor: number; after?: number },
) {
  const { corpora } = connection;
  const sha256s = how.kept.map(sha);
  await unary(corpora, corpora.keepMergedInputs, { lease, sha256s });
  return unary(corpora, corpora.finishMerge, {
    lease,
    revision: how.revision,
    cursor: how.cursor,
    before: figures(10),
    after: figures(how.after ?? 10),
  });
}

async function lastCursor(connection: Connection): Promise<number> {
  let cursor = 0;
  for await (const { entries } of corpusEntries(connection, png)) {
    cursor = entries.at(-1)?.cursor ?? cursor;
  }
  return cursor;
}

describe('a corpus', () => {
  test('is that of a project and a target: the same name elsewhere is another', async () => {
    const { connection } = await runMasterFor();
    const { sha256: targetSha256 } = await uploadTarget(connection);
    await createJob(connection, { targetSha256, targetName: 'png' });
    const ours = await pulledLease(connection);
    await createJob(connection, { targetSha256, targetName: 'png', project: 'other' });
    const theirs = await pulledLease(connection);
    await pushCorpus(connection, ours, inputs('ours'));
    await pushCorpus(connection, theirs, inputs('theirs', 'ours'));
    expect((await pulled(connection)).texts).toEqual(['ours']);
    expect((await pulled(connection, { project: 'other' })).texts).toEqual(['theirs', 'ours']);
    const { corpora } = connection;
    const page = await unary(corpora, corpora.listCorpora, { pageSize: 1, pageToken: '' });
    const { nextPageToken: pageToken } = page;
    const rest = await unary(corpora, corpora.listCorpora, { pageSize: 1, pageToken });
    const found = [...page.corpora, ...rest.corpora];
    expect(found.map(({ project, entries }) => [project, entries])).toEqual([
      ['default', 1],
      ['other', 2],
    ]);
    expect(rest.nextPageToken).toBe('');
  });

  test('knows where its inputs came from first', async () => {
    const { connection } = await runMasterFor();
    await importCorpus(connection, png, inputs('imported', 'twice'));
    await createJob(connection, { targetName: 'png' });
    const lease = await pulledLease(connection);
    const seeds = inputs('seed').map((seed) => ({ ...seed, origin: CorpusOrigin.SEEDS }));
    await pushCorpus(connection, lease, [...inputs('found', 'twice'), ...seeds]);
    const { sources, entries, bytes } = await get(connection);
    expect({ entries, bytes }).toEqual({ entries: 4, bytes: 22 });
    expect(sources).toEqual([
      { origin: CorpusOrigin.ENGINE, engine: 'libfuzzer', entries: 1, bytes: 5 },
      { origin: CorpusOrigin.IMPORT, engine: '', entries: 2, bytes: 13 },
      { origin: CorpusOrigin.SEEDS, engine: 'libfuzzer', entries: 1, bytes: 4 },
    ]);
  });

  test('loses the inputs that are removed, by their first digits, and is told apart then', async () => {
    const { connection } = await runMasterFor();
    const { corpora } = connection;
    const many = Array.from({ length: 300 }, (_, index) => `input ${index}`);
    await importCorpus(connection, png, inputs(...many));
    const before = await pulled(connection);
    const shas = many.map(sha);
    const four = shas.map((one) => one.slice(0, 4));
    const twice = four.find((text, index) => four.indexOf(text) < index);
    const [one = ''] = shas.filter((text) =>
      shas.every((s) => s === text || !s.startsWith(text.slice(0, 8))),
    );
    const wanted = [one.slice(0, 8), ...(twice ? [twice] : []), 'ffffffffff'];
    const removal = { corpus: png, sha256s: wanted };
    expect(await unary(corpora, corpora.removeCorpusEntries, removal)).toEqual({
      removed: [one],
      unknown: ['ffffffffff'],
      ambiguous: twice ? [twice] : [],
    });
    const stale = await pulled(connection, { cursor: 1, revision: before.revision });
    expect(stale).toEqual({ texts: [], revision: before.revision + 1 });
    expect((await pulled(connection)).texts).toHaveLength(299);
    expect(await unary(corpora, corpora.resetCorpus, { corpus: png })).toEqual({ removed: 299 });
    expect((await get(connection)).entries).toBe(0);
    expect((await pulled(connection)).texts).toEqual([]);
    await importCorpus(connection, png, inputs('anew'));
    expect((await pulled(connection)).texts).toEqual(['anew']);
  });
});

describe('a full corpus', () => {
  const settings = { PANDAFUZZ_CORPUS_MAX_INPUTS: '4', PANDAFUZZ_CORPUS_MAX_BYTES: '1KiB' };
  const full = { code: Code.RESOURCE_EXHAUSTED, reason: 'LIMIT_EXCEEDED' };

  test('takes what it has room for, says which setting bounds it, and is merged', async () => {
    const { connection, master } = await runMasterFor(settings);
    await createJob(connection, { targetName: 'png' });
    const lease = await pulledLease(connection);
    await pushCorpus(connection, lease, inputs('a', 'b', 'c'));
    expect((await get(connection)).mergingJobId).toBe('');
    const more = inputs('a', 'd', 'e', 'f');
    const refused = await refusalOf(pushCorpus(connection, lease, more));
    expect(refused).toMatchObject({ ...full, message: expect.stringContaining('max_inputs') });
    const shown = await get(connection);
    expect(shown).toMatchObject({ entries: 4, bytes: 4, maxEntries: 4, maxBytes: 1024 });
    // What it has already is no reason to refuse; and another target's corpus is another.
    const known = await pushCorpus(connection, lease, inputs('a', 'd'));
    expect(known).toEqual({ added: 0, known: 2 });
    expect(await refusalOf(importCorpus(connection, png, inputs('g')))).toMatchObject(full);
    const other = { ...png, targetName: 'jpeg' };
    expect(await importCorpus(connection, other, inputs('g'))).toEqual({ added: 1, known: 0 });
    const metrics = await fetch(`http://${formatAddress(master.http)}/metrics`);
    expect(await metrics.text()).toContain('corpus_inputs_refused_total 3\n');
    await eventually(async () => (await get(connection)).mergingJobId || undefined);
    const removal = { corpus: png, sha256s: [sha('a')] };
    await unary(connection.corpora, connection.corpora.removeCorpusEntries, removal);
    expect(await pushCorpus(connection, lease, inputs('e'))).toEqual({ added: 1, known: 0 });
  });

  test('has a bound in bytes, within which shorter inputs still go', async () => {
    const { connection } = await runMasterFor(settings);
    const of = (bytes: number) => inputs('x'.repeat(bytes));
    await importCorpus(connection, png, of(1000));
    const refused = await refusalOf(importCorpus(connection, png, of(25)));
    expect(refused).toMatchObject({ ...full, message: expect.stringContaining('max_bytes') });
    await importCorpus(connection, png, of(24));
    expect(await get(connection)).toMatchObject({ entries: 2, bytes: 1024 });
  });
});

test('all corpora of a project together have a bound', async () => {
  const directory = temporaryFolder();
  const first = await runMasterFor({}, directory);
  await importCorpus(first.connection, png, inputs('x'.repeat(2000)));
  await first.master.stop();
  const bound = { PANDAFUZZ_CORPUS_MAX_PROJECT_BYTES: '1KiB' };
  const { connection, master } = await runMasterFor(bound, directory);
  const jpeg = { ...png, targetName: 'jpeg' };
  expect(await refusalOf(importCorpus(connection, jpeg, inputs('g')))).toMatchObject({
    code: Code.RESOURCE_EXHAUSTED,
    message: expect.stringContaining('corpus.max_project_bytes'),
  });
  const quota = 'pandafuzz_quota_refusals_total{quota="corpus.max_project_bytes"}';
  expect(await metric(master, quota)).toBe(1);
  await importCorpus(connection, { ...jpeg, project: 'other' }, inputs('g'));
});

describe('inputs that are put aside', () => {
  test('are left out for their build alone, and are shown with it', async () => {
    const { connection } = await runMasterFor();
    const { corpora } = connection;
    const job = await createJob(connection, { targetName: 'png' });
    const lease = await pulledLease(connection);
    await pushCorpus(connection, lease, inputs('fine', 'crashes', 'hangs', 'fine too'));
    const aside = [
      InputPutAside.create({ sha256: sha('crashes'), reason: PutAsideReason.CRASH }),
      InputPutAside.create({ sha256: sha('hangs'), reason: PutAsideReason.SLOW }),
    ];
    const told = { lease, inputs: aside };
    expect(await unary(corpora, corpora.putInputsAside, told)).toEqual({ added: 2 });
    expect(await unary(corpora, corpora.putInputsAside, told)).toEqual({ added: 0 });
    const targetSha256 = given(job.spec).targetSha256;
    expect((await pulled(connection, { targetSha256 })).texts).toEqual(['fine', 'fine too']);
    const other = { targetSha256: 'a'.repeat(64) };
    expect((await pulled(connection, other)).texts).toHaveLength(4);
    const { builds } = await get(connection);
    expect(builds).toMatchObject([{ targetSha256, putAside: 2 }]);
    const list = { corpus: png, targetSha256, cursor: 0, pageSize: 1 };
    const [first] = (await unary(corpora, corpora.listInputsPutAside, list)).inputs;
    expect(first).toMatchObject({ sha256: sha('crashes'), reason: PutAsideReason.CRASH });
    const next = { ...list, cursor: given(first).cursor, pageSize: 0 };
    const rest = (await unary(corpora, corpora.listInputsPutAside, next)).inputs;
    expect(rest.map(({ sha256 }) => sha256)).toEqual([sha('hangs')]);
    const stale = { ...told, lease: { ...lease, fence: lease.fence + 1 } };
    expect((await refusalOf(unary(corpora, corpora.putInputsAside, stale)))?.reason).toBe(
      'STALE_LEASE',
    );
  });
});

describe('a merge', () => {
  test('replaces the corpus at once, and keeps what was added meanwhile', async () => {
    const { connection } = await runMasterFor();
    await createJob(connection, { targetName: 'png' });
    const fuzzing = await pulledLease(connection);
    await pushCorpus(connection, fuzzing, inputs('a', 'b', 'c', 'd'));
    const { revision } = await pulled(connection);
    const cursor = await lastCursor(connection);
    const lease = await mergeLease(connection);
    const { corpora } = connection;
    expect(await unary(corpora, corpora.mergeCorpus, { corpus: png })).toEqual({
      jobId: lease.jobId,
      underWay: true,
    });
    await pushCorpus(connection, fuzzing, inputs('late', 'b'));
    expect((await get(connection)).entries).toBe(5);
    const kept = ['b', 'd', 'never there'];
    const { merge } = await merged(connection, lease, { kept, revision, cursor });
    expect(merge).toMatchObject({ entriesBefore: 4, entriesAfter: 2, before: figures(10) });
    const after = await pulled(connection);
    expect(after.texts.sort()).toEqual(['b', 'd', 'late']);
    expect(after.revision).toBe(revision + 1);
    const again = await merged(connection, lease, { kept: ['b'], revision, cursor });
    expect(again.merge).toEqual(merge);
    const { lastMerge, entries } = await get(connection);
    expect({ lastMerge, entries }).toEqual({ lastMerge: merge, entries: 3 });
    await pushCorpus(connection, fuzzing, inputs('a'));
    expect((await pulled(connection)).texts.sort()).toEqual(['a', 'b', 'd', 'late']);
    // What it replaced is gone after a while, and nothing else with it.
    await eventually(async () => ((await get(connection)).entries === 4 ? true : undefined));
  });

  test('is refused that covers less, or that knows nothing of a removal', async () => {
    const { connection } = await runMasterFor();
    await createJob(connection, { targetName: 'png' });
    const fuzzing = await pulledLease(connection);
    await pushCorpus(connection, fuzzing, inputs('a', 'b'));
    const { revision } = await pulled(connection);
    const cursor = await lastCursor(connection);
    const lease = await mergeLease(connection);
    const how = { kept: ['a'], revision, cursor };
    expect((await refusalOf(merged(connection, lease, { ...how, after: 9 })))?.reason).toBe(
      'MERGE_COVERS_LESS',
    );
    const { corpora } = connection;
    const removal = { corpus: png, sha256s: [sha('b')] };
    await unary(corpora, corpora.removeCorpusEntries, removal);
    expect((await refusalOf(merged(connection, lease, how)))?.reason).toBe('MERGE_OUTDATED');
    expect((await pulled(connection)).texts).toEqual(['a']);
    expect((await refusalOf(merged(connection, fuzzing, how)))?.reason).toBe('NO_MERGE');
  });

  test('needs inputs, and a job whose build can do it', async () => {
    const { connection } = await runMasterFor();
    const { corpora } = connection;
    const asked = () => refusalOf(unary(corpora, corpora.mergeCorpus, { corpus: png }));
    expect((await asked())?.code).toBe(5);
    await importCorpus(connection, png, inputs('a'));
    expect((await asked())?.reason).toBe('NOTHING_TO_MERGE');
    await createJob(connection, { targetName: 'png', engine: 'gofuzz' });
    expect(await asked()).toMatchObject({
      reason: 'CANNOT_MERGE',
      message: expect.stringMatching(/libfuzzer, aflplusplus, honggfuzz can/),
    });
    const able = await createJob(connection, { targetName: 'png', engine: 'honggfuzz' });
    await createJob(connection, { targetName: 'png', engine: 'gofuzz' });
    expect(await asked()).toBeUndefined();
    const { mergingJobId: jobId } = await get(connection);
    const { job } = await unary(connection.jobs, connection.jobs.getJob, { jobId });
    expect(job?.spec).toMatchObject({
      kind: JobKind.MERGE,
      engine: 'honggfuzz',
      targetSha256: given(able.spec).targetSha256,
    });
  });

  test('is made by itself when a corpus has doubled', async () => {
    const { connection } = await runMasterFor();
    await createJob(connection, { targetName: 'png' });
    const lease = await pulledLease(connection);
    const many = Array.from({ length: 1000 }, (_, index) => `input ${index}`);
    await pushCorpus(connection, lease, inputs(...many.slice(1)));
    expect((await get(connection)).mergingJobId).toBe('');
    await pushCorpus(connection, lease, inputs(...many));
    await eventually(async () => (await get(connection)).mergingJobId || undefined);
  });
});
