import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import { corpusInput, pushCorpus } from '../../src/client/corpus.js';
import { reportCrash } from '../../src/client/transfer.js';
import { JobKind, JobOutcome, JobState } from '../../src/gen/pandafuzz/v1/job.js';
import { runMasterFor, temporaryFolder } from '../harness.js';
import { patienceMs } from '../patience.js';
import { given, pulledLease, registerBot } from '../steps.js';
import { atWork, operatorsFolder } from './at-work.js';
import { pandafuzz, said } from './run.js';

async function closedPort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return `127.0.0.1:${port}`;
}

describe('a job', () => {
  test('is submitted, listed, looked at and cancelled', async () => {
    const { run } = await atWork();
    const submitted = await run(
      'job',
      'submit',
      'fuzzer',
      '--seeds',
      'seeds',
      '--name',
      'night',
      '--duration',
      '2m',
    );
    expect(submitted).toMatchObject({ code: 0, err: '' });
    const id = submitted.out.trim();
    const listed = await run('job', 'list');
    expect(listed.out).toMatch(
      new RegExp(`^id +state .*\\n${id.slice(0, 13)} +pending +libfuzzer +fuzzer +night`),
    );
    const got = await run('job', 'get', id, '--json');
    expect(JSON.parse(got.out)).toMatchObject({
      id,
      state: 'JOB_STATE_PENDING',
      spec: { targetName: 'fuzzer', limits: { maxDurationSeconds: 120 } },
    });
    const cancelled = await run('job', 'cancel', id, '--json');
    expect(JSON.parse(cancelled.out)).toMatchObject({
      jobs: [{ id, state: 'JOB_STATE_CANCELLED' }],
    });
    expect((await run('job', 'list', '--state', 'pending')).out).toBe('no jobs\n');
  });

  test('is cancelled even when another one cannot be', async () => {
    const { run } = await atWork();
    const id = (await run('job', 'submit', 'fuzzer')).out.trim();
    const absent = '0198c0de-0000-7000-8000-000000000000';
    const ran = await run('job', 'cancel', absent, id);
    expect(ran).toMatchObject({ code: 1, err: `pandafuzz: ${absent}: there is no such job\n` });
    expect(ran.out).toMatch(new RegExp(`\n${id.slice(0, 13)} +cancelled`));
  });

  test('that is waited for ends the wait as it ended', async () => {
    const { run, connection } = await atWork();
    const bot = await registerBot(connection);
    const waiting = run('job', 'submit', 'fuzzer', '--wait', '--json');
    const pull = { botId: bot.id, waitMs: 20_000, leaseTtlMs: 0 };
    const { assignment } = await unary(connection.jobs, connection.jobs.assignJob, pull, {
      timeoutMs: patienceMs,
    });
    await unary(connection.jobs, connection.jobs.completeJob, {
      lease: given(assignment).lease,
      result: { outcome: JobOutcome.COMPLETED, message: '', statistics: undefined },
    });
    const { code, out } = await waiting;
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ jobs: [{ state: 'JOB_STATE_COMPLETED' }] });
  });

  test.each([
    ['a pipe', false],
    ['a terminal', true],
  ])('outlives a wait that is interrupted on %s, which exits with 130', async (_, onTerminal) => {
    const { start, connection } = await atWork();
    const { child, ended } = start(onTerminal, 'job', 'submit', 'fuzzer', '--wait');
    await said(child, /pending/);
    child.kill('SIGINT');
    expect(await ended).toMatchObject({
      code: 130,
      err: expect.stringMatching(/pandafuzz: interrupted\n/),
    });
    const { jobs } = await unary(connection.jobs, connection.jobs.listJobs, {
      pageSize: 1,
      pageToken: '',
      state: JobState.PENDING,
    });
    expect(jobs).toHaveLength(1);
  });

  test('can be submitted many times over, each with an id of its own', async () => {
    const { run } = await atWork();
    const { out } = await run('job', 'submit', 'fuzzer', '--count', '3');
    expect(new Set(out.trim().split('\n')).size).toBe(3);
    const { jobs } = JSON.parse((await run('job', 'list', '--json', '--limit', '2')).out);
    expect(jobs).toHaveLength(2);
  });

  test.each([
    ['missing', 'there is no such file'],
    ['seeds', 'is not a file: name the executable to fuzz'],
    ['seeds/one', 'is not executable: chmod +x it, or name another'],
  ])('with the target %s is refused before anything is sent', async (target, complaint) => {
    const options = { cwd: operatorsFolder() };
    const ran = await pandafuzz(['job', 'submit', target], options);
    expect(ran.code).toBe(66);
    expect(ran.err.trim().split('\n')).toEqual([expect.stringContaining(complaint)]);
  });

  test('with seeds that are not there, or none, is refused', async () => {
    const cwd = operatorsFolder();
    mkdirSync(join(cwd, 'empty'));
    const submit = (seeds: string) =>
      pandafuzz(['job', 'submit', 'fuzzer', '--seeds', seeds], { cwd });
    expect(await submit('nowhere')).toMatchObject({
      code: 66,
      err: expect.stringMatching(/no such folder/),
    });
    expect(await submit('empty')).toMatchObject({
      code: 66,
      err: expect.stringMatching(/no file in it/),
    });
  });

  test('of an unknown engine is refused by the master, in one line', async () => {
    const { run } = await atWork();
    const ran = await run('job', 'submit', 'fuzzer', '--engine', 'afll');
    expect(ran).toEqual({
      code: 1,
      out: '',
      err: 'pandafuzz: spec.engine: this master takes jobs for: libfuzzer, aflplusplus, honggfuzz, gofuzz, jazzerjs, command\n',
    });
  });
});

describe('jobs that wait', () => {
  test('are paused, explained, resumed, and watched as all that happens', async () => {
    const { run, start } = await atWork();
    const id = (
      await run('job', 'submit', 'fuzzer', '--campaign', 'night', '--require-label', 'zone=eu')
    ).out.trim();
    expect((await run('job', 'explain', id)).out).toBe(
      'no bot is online\nit is the next of its kind\n',
    );
    expect((await run('job', 'get', id)).out).toMatch(/requires +zone=eu/);
    expect((await run('job', 'pause', id)).out).toMatch(new RegExp(`${id.slice(0, 13)} +paused`));
    expect((await run('job', 'explain', id)).out).toMatch(/^it is paused/);
    expect((await run('job', 'resume', id)).out).toMatch(new RegExp(`${id.slice(0, 13)} +pending`));
    const retried = await run('job', 'retry', id);
    expect(retried).toMatchObject({ code: 1, err: expect.stringMatching(/only a dead one/) });
    expect((await run('campaign', 'set', 'night', '--weight', '5')).out).toMatch(
      /night +5 +- +0 +1/,
    );
    expect((await run('campaign', 'shares')).out).toMatch(/^campaign .*\nnight +5/);

    const { child, ended } = start(false, 'job', 'watch', id, '--json', '--after', '1');
    const lines: string[] = [];
    for await (const chunk of child.stdout ?? []) {
      lines.push(...String(chunk).trim().split('\n'));
      if (lines.length >= 5) break;
    }
    child.kill('SIGINT');
    expect((await ended).code).toBe(130);
    expect(lines.map((line) => JSON.parse(line).kind)).toEqual([
      'job.created',
      'job.pause_requested',
      'job.paused',
      'job.resume_requested',
      'job.pending',
    ]);
  });
});

describe('a crash', () => {
  test('is listed, looked at and downloaded, and no file is written over unasked', async () => {
    const { run, connection, folder } = await atWork();
    await run('job', 'submit', 'fuzzer');
    const lease = await pulledLease(connection);
    const path = join(folder, 'input');
    writeFileSync(path, 'seed');
    const report = '==1==ERROR: AddressSanitizer: SEGV\n    #0 0x1 in deep\u001b[31m /t.c:1\n';
    const inputSha256 = '19b25856e1c150ca834cffc8b59b23adbd0ec0389e58eb22b3b64768098d002b';
    const about = { lease, inputSha256, inputSizeBytes: 4, report };
    const { crashId, groupId } = await reportCrash(connection, about, path);

    expect((await run('crash', 'list')).out).toMatch(/^group +status +kind .*\n.* SEGV /);
    expect((await run('crash', 'list', '--group', groupId)).out).toContain(crashId.slice(0, 13));
    const shown = await run('crash', 'get', crashId);
    expect(shown.out).toContain('AddressSanitizer: SEGV');
    expect(shown.out).not.toContain('\u001b');
    const fetched = await run('crash', 'download', groupId);
    expect(fetched.out).toMatch(new RegExp(`^SEGV-${crashId} \\(4 B, SEGV in `));
    expect(readFileSync(join(folder, `SEGV-${crashId}`), 'utf8')).toBe('seed');
    const again = await run('crash', 'download', crashId);
    expect(again).toMatchObject({
      code: 1,
      err: expect.stringMatching(/is there already: give --force/),
    });
    expect((await run('crash', 'download', crashId, '--force')).code).toBe(0);
  });
});

describe('a corpus', () => {
  test('is looked at and downloaded, and what is there already is not written again', async () => {
    const { run, connection, folder } = await atWork();
    await run('job', 'submit', 'fuzzer');
    const lease = await pulledLease(connection);
    const [one, two] = [corpusInput(Buffer.from('one')), corpusInput(Buffer.from('another'))];
    await pushCorpus(connection, lease, [one]);

    expect((await run('corpus', 'get', 'fuzzer')).out).toMatch(/^size +1 input, 3 B$/m);
    const first = await run('corpus', 'download', 'fuzzer');
    expect(first.out).toBe('corpus-fuzzer: 1 input, 1 of them new there\n');
    await pushCorpus(connection, lease, [two]);
    const again = await run('corpus', 'download', 'fuzzer', '-o', 'corpus-fuzzer', '--json');
    expect(JSON.parse(again.out)).toEqual({ folder: 'corpus-fuzzer', inputs: 2, added: 1 });
    for (const { sha256, bytes } of [one, two]) {
      expect(readFileSync(join(folder, 'corpus-fuzzer', sha256))).toEqual(bytes);
    }
    expect(readdirSync(join(folder, 'corpus-fuzzer'))).toHaveLength(2);
    expect(await run('corpus', 'download', 'other')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/there is no corpus of other/),
    });
    expect(await run('corpus', 'download', 'fuzzer', '-o', 'fuzzer')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/fuzzer is a file: name a folder/),
    });
  });
});

describe('the fleet', () => {
  test('is shown with its bots and figures', async () => {
    const { run, connection } = await atWork();
    expect((await run('bot', 'list')).out).toMatch(/no bots/);
    await registerBot(connection, 'north');
    expect((await run('bot', 'list')).out).toMatch(/north +offline +libfuzzer/);
    const engine = { name: 'aflplusplus', version: '4.04c', note: 'no afl-cmin' };
    const engineDetails = [{ ...engine, kinds: [JobKind.REPRODUCE] }];
    await registerBot(connection, 'north', { engineDetails });
    expect((await run('bot', 'list')).out).toMatch(/north +offline +aflplusplus 4\.04c/);
    expect((await run('bot', 'get', 'north')).out).toMatch(
      /aflplusplus +4\.04c +fuzz, reproduce +no afl-cmin\n/,
    );
    expect(JSON.parse((await run('bot', 'get', 'north', '--json')).out)).toMatchObject({
      name: 'north',
      engineDetails: [engine],
    });
    expect((await run('stats')).out).toMatch(/bots +0 online of 1/);
    expect(JSON.parse((await run('stats', '--json')).out)).toMatchObject({ botsTotal: 1 });
  });

  test('is drained, resumed and made smaller by name', async () => {
    const { run, connection } = await atWork();
    await registerBot(connection, 'north');
    expect((await run('bot', 'explain', 'north')).out).toBe(
      'it is offline: it holds no heartbeat stream\n',
    );
    expect((await run('bot', 'drain', 'north')).out).toMatch(/north +offline/);
    expect((await run('bot', 'resume', 'north')).code).toBe(0);
    expect(await run('bot', 'delete', 'north')).toMatchObject({ code: 0, out: '', err: '' });
    expect(await run('bot', 'drain', 'north')).toMatchObject({
      code: 1,
      err: 'pandafuzz: there is no bot north: "pandafuzz bot list" shows them\n',
    });
  });
});

describe('the database', () => {
  test('is copied to a file that a master can be started on', async () => {
    const { run, folder } = await atWork();
    const id = (await run('job', 'submit', 'fuzzer')).out.trim();
    expect(await run('backup', '--database-only', 'nowhere/copy.db')).toMatchObject({
      code: 1,
      out: '',
      err: 'pandafuzz: there is no folder nowhere to write nowhere/copy.db into\n',
    });
    expect(await run('backup', '--database-only', 'pandafuzz.db')).toMatchObject({
      code: 0,
      err: '',
      out: expect.stringMatching(/^pandafuzz\.db \(.* KiB, checked\)\n$/),
    });
    expect((await run('backup', '--database-only', 'pandafuzz.db')).err).toMatch(
      /is there already: give --force/,
    );
    const { connection } = await runMasterFor({}, folder);
    const { job } = await unary(connection.jobs, connection.jobs.getJob, { jobId: id });
    expect(job?.spec?.targetName).toBe('fuzzer');
  });
});

describe('a command', () => {
  test('that finds no master says so in one line and exits with 69', async () => {
    const ran = await pandafuzz(['stats', '--master', await closedPort()]);
    expect(ran).toMatchObject({ code: 69, out: '' });
    expect(ran.err).toMatch(/^pandafuzz: no master answers at 127\.0\.0\.1:\d+: start one .*\n$/);
  });

  test.each([
    [['jb', 'list'], /unknown command 'jb' \(Did you mean job\?\)/],
    [['job', 'submit', 'one', 'two', '--', '-x'], /unexpected argument 'two' .* after --/],
    [['job', 'list', '--state', 'asleep'], /Allowed choices are pending/],
    [['job', 'submit', 'x', '--duration', 'soon'], /must be a duration such as "10s"/],
    [['stats', '--master', 'nowhere'], /must be HOST:PORT/],
    [['job', 'get'], /missing required argument 'job'/],
  ])('%j is wrong usage, and exits with 64', async (args, complaint) => {
    const ran = await pandafuzz(args);
    expect(ran).toMatchObject({ code: 64, out: '' });
    expect(ran.err).toMatch(complaint);
    expect(ran.err).toMatch(/^pandafuzz: [^\n]*\n$/);
  });

  test('is named in the help', async () => {
    const top = await pandafuzz(['help']);
    expect(top.code).toBe(0);
    for (const name of ['master', 'bot', 'job', 'crash', 'stats', 'backup', 'restore']) {
      expect(top.out).toMatch(new RegExp(`^ {2}${name} `, 'm'));
    }
    const submit = await pandafuzz(['help', 'job', 'submit']);
    expect(submit).toMatchObject({ code: 0, out: expect.stringMatching(/--max-crashes <number>/) });
    expect(submit.out).not.toContain('(default: false)');
  });

  test('whose reader goes away ends quietly', async () => {
    const { start } = await atWork();
    const { child, ended } = start(false, 'stats');
    child.stdout?.destroy();
    expect(await ended).toMatchObject({ code: 0, err: '' });
  });

  test('lets nothing in an error play with the terminal', async () => {
    const ran = await pandafuzz(['job', 'submit', 'a\u001b[31mb']);
    expect(ran).toMatchObject({ code: 66, err: expect.not.stringContaining('\u001b') });
  });

  test('tells the version', async () => {
    expect((await pandafuzz(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test.each([[['job', 'submit']], [['crash', 'download']], [['bot']], [['master']]])(
    '%j helps with examples',
    async (args) => {
      const { code, out } = await pandafuzz([...args, '--help']);
      expect(code).toBe(0);
      expect(out).toMatch(/Examples?:\n {2}\$ pandafuzz/);
    },
  );
});

describe('a master', () => {
  test('that is given a wrong setting names it and exits with 78', async () => {
    const environment = { PANDAFUZZ_LEASES_TTL: 'soon' };
    expect(await pandafuzz(['master'], { environment, cwd: temporaryFolder() })).toMatchObject({
      code: 78,
      out: '',
      err: expect.stringMatching(
        /^pandafuzz: configuration .*leases\.ttl \(PANDAFUZZ_LEASES_TTL\): must be a duration.*\n$/,
      ),
    });
  });

  test('whose port is in use says which, and what to do', async () => {
    const { address } = await runMasterFor();
    const environment = {
      PANDAFUZZ_GRPC_ADDRESS: address,
      PANDAFUZZ_HTTP_ADDRESS: '127.0.0.1:0',
      PANDAFUZZ_LOG_LEVEL: 'silent',
    };
    const ran = await pandafuzz(['master'], { environment, cwd: temporaryFolder() });
    expect(ran.code).toBe(1);
    expect(ran.err).toMatch(/^pandafuzz: gRPC cannot listen on .*it is in use.*grpc\.address\n$/);
  });

  test.each([
    [['master'], { PANDAFUZZ_DATA_DIRECTORY: '/proc/nowhere/data' }, 'data.directory'],
    [['bot', '--work-dir', '/proc/nowhere/bot'], {}, '--work-dir'],
  ])('or a bot below /proc says so at once: %j', async (args, environment, setting) => {
    const ran = await pandafuzz(args, { environment, cwd: temporaryFolder() });
    expect(ran.code).not.toBe(0);
    expect(ran.err).toBe(
      `pandafuzz: ${setting}: /proc/nowhere does not exist, or cannot be made there: check the path\n`,
    );
  });

  test('on data that another one has is refused, and told whose it is', async () => {
    const directory = temporaryFolder();
    await runMasterFor({}, directory);
    const environment = { PANDAFUZZ_DATA_DIRECTORY: directory, PANDAFUZZ_LOG_LEVEL: 'silent' };
    const ran = await pandafuzz(['master'], { environment });
    expect(ran).toMatchObject({ code: 1, out: '' });
    expect(ran.err).toMatch(/^pandafuzz: .*belongs to another master \(process \d+ on .*\n$/);
  });
});
