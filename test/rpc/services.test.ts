import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { status as Code } from '@grpc/grpc-js';
import { describe, expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import type { Connection } from '../../src/client/connect.js';
import { failureOf } from '../../src/client/failure.js';
import {
  downloadArtifact,
  downloadCrashInput,
  reportCrash,
  uploadArtifact,
} from '../../src/client/transfer.js';
import { newId } from '../../src/core/ids.js';
import { ArtifactKind } from '../../src/gen/pandafuzz/v1/artifact.js';
import { BotState } from '../../src/gen/pandafuzz/v1/bot.js';
import { ListCrashGroupsRequest } from '../../src/gen/pandafuzz/v1/crash_service.js';
import {
  JobLimits,
  JobOutcome,
  JobSpec,
  JobState,
  JobTimeouts,
} from '../../src/gen/pandafuzz/v1/job.js';
import { runMasterFor, temporaryFolder } from '../harness.js';
import { createJob, registerBot, uploadTarget } from '../steps.js';

async function refusal(call: Promise<unknown>) {
  const error = await call.then(
    () => new Error('it was answered'),
    (reason: unknown) => reason,
  );
  return failureOf(error);
}

describe('bots', () => {
  test('keep their id when they register again', async () => {
    const { connection } = await runMasterFor();
    const first = await registerBot(connection);
    expect(first).toMatchObject({ name: 'bot', state: BotState.OFFLINE, labels: { arch: 'any' } });
    expect((await registerBot(connection)).id).toBe(first.id);
    const { bot } = await unary(connection.bots, connection.bots.getBot, { botId: first.id });
    expect(bot?.id).toBe(first.id);
  });

  test('are told everything that is wrong with a registration at once', async () => {
    const { connection } = await runMasterFor();
    const request = {
      name: 'a b',
      engines: [],
      slots: 0,
      labels: {},
      version: '\n',
      memoryMib: 0,
      diskMib: 0,
    };
    const failure = await refusal(unary(connection.bots, connection.bots.registerBot, request));
    expect(failure?.code).toBe(Code.INVALID_ARGUMENT);
    for (const field of ['name:', 'engines:', 'slots:', 'version:']) {
      expect(failure?.message).toContain(field);
    }
  });
});

describe('artifacts', () => {
  test('come back as they were sent, and are kept once', async () => {
    const { connection } = await runMasterFor();
    const bytes = randomBytes(900_001);
    const artifact = await uploadTarget(connection, bytes);
    expect(artifact.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
    const path = join(temporaryFolder(), 'copy');
    await downloadArtifact(connection, artifact.sha256, path);
    expect(readFileSync(path).equals(bytes)).toBe(true);
    const again = { path, kind: ArtifactKind.TARGET, name: 'other' };
    const second = await uploadArtifact(connection, again);
    expect(second).toMatchObject({ alreadyExisted: true, artifact: { name: 'other' } });
  });

  test('that are not what their header says are refused, and nothing is kept', async () => {
    const { connection } = await runMasterFor();
    const path = join(temporaryFolder(), 'input');
    writeFileSync(path, 'other bytes');
    const sha256 = 'e'.repeat(64);
    const call = new Promise((resolve, reject) => {
      const upload = connection.artifacts.uploadArtifact((error, answer) =>
        error ? reject(error) : resolve(answer),
      );
      const file = { sha256, kind: ArtifactKind.TARGET, name: 'x', sizeBytes: 11 };
      const header = { ...file, offsetBytes: 0, uploadId: '' };
      upload.write({ message: { $case: 'header', value: header } });
      upload.write({ message: { $case: 'chunk', value: Buffer.from('other bytes') } });
      upload.end();
    });
    expect((await refusal(call))?.code).toBe(Code.DATA_LOSS);
    const download = downloadArtifact(connection, sha256, path);
    expect((await refusal(download))?.code).toBe(Code.NOT_FOUND);
  });
});

describe('jobs', () => {
  test('get the limits they leave open from the master', async () => {
    const { connection } = await runMasterFor({ PANDAFUZZ_JOBS_MAX_DURATION: '2m' });
    const job = await createJob(connection);
    expect(job).toMatchObject({ state: JobState.PENDING, attempt: 0, fence: 0 });
    expect(job.spec).toMatchObject({
      targetName: 'target',
      maxAttempts: 3,
      limits: { maxDurationSeconds: 120, maxMemoryMib: 2048, maxInputBytes: 0 },
    });
  });

  test('are answered when they are made as they are read from then on, and for a request again', async () => {
    const { connection } = await runMasterFor();
    const { jobs } = connection;
    const { sha256: targetSha256 } = await uploadTarget(connection);
    const everything = JobSpec.create({
      engine: 'libfuzzer',
      name: 'all',
      campaign: 'night',
      priority: 3,
      maxAttempts: 2,
      targetSha256,
      arguments: ['-use_value_profile=1'],
      environment: { A: '1' },
      limits: JobLimits.create({ maxDurationSeconds: 60, maxCrashes: 1 }),
      requirements: { labels: { zone: 'eu' }, memoryMib: 1, diskMib: 1 },
      timeouts: JobTimeouts.create({ scheduleToStartSeconds: 5, scheduleToCloseSeconds: 9 }),
      notBefore: new Date('2030-01-31T22:00:00.123Z'),
    });
    for (const spec of [everything, JobSpec.create({ engine: 'libfuzzer', targetSha256 })]) {
      const requestId = newId();
      const made = await unary(jobs, jobs.createJob, { spec, requestId });
      const { job } = await unary(jobs, jobs.getJob, { jobId: made.job?.id ?? '' });
      expect(made.job).toEqual(job);
      expect(await unary(jobs, jobs.createJob, { spec, requestId })).toEqual(made);
    }
  });

  test('of an unknown engine or target are refused by name', async () => {
    const { connection } = await runMasterFor();
    const engine = await refusal(createJob(connection, { engine: 'afll' }));
    expect(engine?.message).toBe('spec.engine: this master takes jobs for: libfuzzer');
    const target = await refusal(createJob(connection, { targetSha256: 'c'.repeat(64) }));
    expect([target?.code, target?.message]).toEqual([Code.NOT_FOUND, 'there is no such target']);
  });

  test('are listed newest first, page by page, each once', async () => {
    const { connection } = await runMasterFor();
    const { sha256: targetSha256 } = await uploadTarget(connection);
    const made = [];
    for (let i = 0; i < 5; i++) made.push((await createJob(connection, { targetSha256 })).id);
    const listed: string[] = [];
    for (let pageToken = ''; ; ) {
      const request = { pageSize: 2, pageToken, state: JobState.UNSPECIFIED };
      const page = await unary(connection.jobs, connection.jobs.listJobs, request);
      listed.push(...page.jobs.map((job) => job.id));
      pageToken = page.nextPageToken;
      if (pageToken === '') break;
    }
    expect(listed).toEqual(made.reverse());
  });

  test('can be pulled, completed and complained about without a stream', async () => {
    const { connection } = await runMasterFor();
    const bot = await registerBot(connection);
    const pull = (waitMs: number) =>
      unary(connection.jobs, connection.jobs.assignJob, { botId: bot.id, waitMs, leaseTtlMs: 0 });
    expect((await pull(0)).assignment).toBeUndefined();
    const waiting = pull(10_000);
    const job = await createJob(connection);
    const { assignment } = await waiting;
    expect(assignment?.lease).toEqual({ jobId: job.id, attempt: 1, fence: 1 });
    const complete = (outcome: JobOutcome) =>
      unary(connection.jobs, connection.jobs.completeJob, {
        lease: assignment?.lease,
        result: { outcome, message: 'because', statistics: undefined },
      });
    const { receipt } = await complete(JobOutcome.COMPLETED);
    expect(receipt?.state).toBe(JobState.COMPLETED);
    expect((await complete(JobOutcome.COMPLETED)).receipt).toEqual(receipt);
    expect((await refusal(complete(JobOutcome.FAILED)))?.code).toBe(Code.ALREADY_EXISTS);
  });
});

describe('crashes', () => {
  const report = [
    '==1==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x1 at pc 0x2',
    'READ of size 1 at 0x1 thread T0',
    '    #0 0x4f in parse_header /src/target.c:10:5',
    '    #1 0x5f in LLVMFuzzerTestOneInput /src/target.c:20:3',
    'SUMMARY: AddressSanitizer: heap-buffer-overflow /src/target.c:10:5 in parse_header',
  ].join('\n');

  async function found(connection: Connection) {
    const bot = await registerBot(connection);
    await createJob(connection);
    const request = { botId: bot.id, waitMs: 0, leaseTtlMs: 0 };
    const { assignment } = await unary(connection.jobs, connection.jobs.assignJob, request);
    const path = join(temporaryFolder(), 'crash');
    writeFileSync(path, randomBytes(300_000));
    const bytes = readFileSync(path);
    const inputSha256 = createHash('sha256').update(bytes).digest('hex');
    const about = { inputSha256, inputSizeBytes: bytes.length, report };
    return { path, bytes, report: { lease: assignment?.lease, ...about } };
  }

  test('are kept with their input, grouped, and come back byte for byte', async () => {
    const { connection } = await runMasterFor();
    const crash = await found(connection);
    const answer = await reportCrash(connection, crash.report, crash.path);
    expect(answer).toMatchObject({ newGroup: true, duplicate: false, late: false });
    const again = await reportCrash(connection, crash.report, crash.path);
    expect(again).toMatchObject({ crashId: answer.crashId, duplicate: true });

    const { crashes } = connection;
    const page = { pageSize: 0, pageToken: '' };
    const { groups } = await unary(
      crashes,
      crashes.listCrashGroups,
      ListCrashGroupsRequest.create(page),
    );
    expect(groups).toMatchObject([
      { kind: 'heap-buffer-overflow', topFrame: 'parse_header', count: 1 },
    ]);
    const got = await unary(crashes, crashes.getCrash, { crashId: answer.crashId });
    expect(got.crash).toMatchObject({ report, frames: ['parse_header', 'LLVMFuzzerTestOneInput'] });
    const listed = await unary(crashes, crashes.listCrashes, {
      ...page,
      groupId: groups[0]?.id ?? '',
      jobId: '',
    });
    expect(listed.crashes.map((c) => c.id)).toEqual([answer.crashId]);

    const copy = join(temporaryFolder(), 'copy');
    await downloadCrashInput(connection, answer.crashId, copy);
    expect(readFileSync(copy).equals(crash.bytes)).toBe(true);
  });

  test('can be downloaded from an offset, but not from beyond the end', async () => {
    const { connection } = await runMasterFor();
    const crash = await found(connection);
    const { crashId } = await reportCrash(connection, crash.report, crash.path);
    const tail = async (offsetBytes: number) => {
      const chunks: Buffer[] = [];
      const call = connection.crashes.downloadCrashInput({ crashId, offsetBytes });
      for await (const message of call) chunks.push(message.chunk);
      return Buffer.concat(chunks);
    };
    expect((await tail(299_990)).equals(crash.bytes.subarray(299_990))).toBe(true);
    expect((await refusal(tail(300_001)))?.code).toBe(Code.OUT_OF_RANGE);
  });

  test('of an attempt that never was are refused', async () => {
    const { connection } = await runMasterFor();
    const crash = await found(connection);
    const lease = { jobId: newId(), attempt: 1, fence: 1 };
    const call = reportCrash(connection, { ...crash.report, lease }, crash.path);
    expect((await refusal(call))?.code).toBe(Code.NOT_FOUND);
  });
});

describe('the system', () => {
  test('tells how much there is of everything', async () => {
    const { connection } = await runMasterFor();
    await registerBot(connection);
    await createJob(connection);
    const stats = await unary(connection.system, connection.system.getSystemStats, {});
    expect(stats).toMatchObject({ botsTotal: 1, botsOnline: 0, jobs: { pending: 1, running: 0 } });
    expect(stats.databaseBytes).toBeGreaterThan(0);
  });
});
