import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';

import type { Connection } from '../../src/client/connect.js';
import { crashWorkOf } from '../../src/core/crash-work.js';
import { JobKind, JobOutcome } from '../../src/gen/pandafuzz/v1/job.js';
import { given, registerBot } from '../steps.js';
import { crashScene, sample } from './crash-scene.js';

/** The master makes no such job by itself. */
const byCommandAlone = {
  PANDAFUZZ_CRASHES_REPRODUCE: 'off',
  PANDAFUZZ_CRASHES_MINIMISE: 'off',
  PANDAFUZZ_CRASHES_VERIFY: 'off',
};

/** A bot that takes the next job, does `work` with it, and completes it. */
async function workOn(
  connection: Connection,
  botId: string,
  work: (job: Awaited<ReturnType<typeof assigned>>) => Promise<unknown>,
) {
  const job = await assigned(connection, botId);
  await work(job);
  await unary(connection.jobs, connection.jobs.completeJob, {
    lease: job.lease,
    result: { outcome: JobOutcome.COMPLETED, message: '', statistics: undefined },
  });
}

async function assigned({ jobs }: Connection, botId: string) {
  const pull = { botId, waitMs: 20_000, leaseTtlMs: 0 };
  const { assignment } = await unary(jobs, jobs.assignJob, pull, { timeoutMs: 25_000 });
  const { lease, spec } = given(assignment);
  return { lease: given(lease), spec: given(spec) };
}

describe('crashes are worked on by command', () => {
  test('reproduced: how often, and that it is flaky, is shown', async () => {
    const { run, report, connection } = await crashScene(byCommandAlone);
    const text = sample('asan-null');
    const { groupId, crashId } = await report(text, 'input');
    const other = await registerBot(connection, 'other', {
      engines: ['libfuzzer', crashWorkOf('libfuzzer')],
    });
    const waiting = run('crash', 'reproduce', groupId.slice(0, 13), '--runs', '3', '--wait');
    await workOn(connection, other.id, ({ lease, spec }) => {
      expect(spec).toMatchObject({ kind: JobKind.REPRODUCE, crashWork: { runs: 3 } });
      const reports = [{ report: text, count: 2 }];
      const result = { lease, crashId, runs: 3, reports, log: 'the \u001b[31mlog' };
      return unary(connection.crashes, connection.crashes.reportReproduction, result);
    });
    const { code, out } = await waiting;
    expect(code).toBe(0);
    expect(out).toMatch(
      new RegExp(
        `\n${crashId}  SEGV in png::Reader::null, input of 5 B, 2 of 3 runs crashed \\(flaky\\)\n$`,
      ),
    );
    const shown = (await run('crash', 'get', groupId)).out;
    expect(shown).toMatch(
      new RegExp(`\nreproduced +2 of 3 \\(flaky\\), \\d+ s ago, .* bot ${other.id}\n`),
    );
    expect(shown).toContain('output of the last reproduction\nthe \ufffd[31mlog\n');
    expect((await run('crash', 'list', '--group', groupId)).out).toMatch(/ 2 of 3 /);
  });

  test('minimised: the job is made, and begun jobs can be waited for later', async () => {
    const { run, report, connection } = await crashScene(byCommandAlone);
    const { crashId } = await report(sample('asan-null'), 'input');
    const ran = await run('crash', 'minimize', crashId, '--time', '90s');
    expect(ran).toMatchObject({ code: 0, err: '' });
    const { jobs } = connection;
    const { job } = await unary(jobs, jobs.getJob, { jobId: ran.out.trim() });
    expect(job?.spec).toMatchObject({
      kind: JobKind.MINIMISE,
      crashWork: { inputs: [{ crashId }] },
      limits: { maxDurationSeconds: 90 },
    });
    expect((await run('job', 'get', ran.out.trim())).out).toMatch(
      new RegExp(`\nkind +minimise\nworks on +crash ${crashId}\n`),
    );
  });

  test('tried on a build: what no longer crashes is shown as fixed', async () => {
    const { run, report, connection, folder } = await crashScene(byCommandAlone);
    const { groupId, crashId } = await report(sample('asan-null'), 'input');
    const bot = await registerBot(connection, 'other', {
      engines: ['libfuzzer', crashWorkOf('libfuzzer')],
    });
    writeFileSync(join(folder, 'fuzzer'), '#!/bin/sh\nexit 1\n');
    const waiting = run('crash', 'verify', 'fuzzer', '--target-name', 'png_fuzzer', '--wait');
    await workOn(connection, bot.id, ({ lease, spec }) => {
      expect(spec.kind).toBe(JobKind.VERIFY);
      const result = { lease, crashId, runs: 5, reports: [], log: '' };
      return unary(connection.crashes, connection.crashes.reportReproduction, result);
    });
    const { code, out } = await waiting;
    expect(code).toBe(0);
    expect(out).toMatch(
      new RegExp(`\n${groupId.slice(0, 13)} +fixed +SEGV .*\n\n1 group fixed in this build\n$`),
    );
    mkdirSync(join(folder, 'out'));
    writeFileSync(join(folder, 'out', 'fuzzer'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    const bundled = await run('crash', 'verify', '--bundle', 'out', '--target-name', 'png_fuzzer');
    expect(bundled).toMatchObject({ code: 0, err: '' });
    const jobId = /^[0-9a-f-]{36}/.exec(bundled.out)?.[0] ?? '';
    const { jobs } = connection;
    const { job } = await unary(jobs, jobs.getJob, { jobId });
    expect(job?.spec).toMatchObject({ executable: 'fuzzer', targetName: 'png_fuzzer' });
    const other = await run('crash', 'verify', '--bundle', 'out', 'other');
    expect(other).toMatchObject({
      code: 65,
      err: expect.stringMatching(/the bundle has no file other/),
    });
    const neither = await run('crash', 'verify');
    expect(neither).toMatchObject({ code: 64, err: expect.stringMatching(/name the build/) });
    const nothing = await run('crash', 'verify', 'fuzzer');
    expect(nothing).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/no crash group/),
    });
  });
});
