import type { ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import { reportCrash } from '../../src/client/transfer.js';
import { JobOutcome } from '../../src/gen/pandafuzz/v1/job.js';
import { runMasterFor, temporaryFolder } from '../harness.js';
import { createJob, pulledLease, uploadTarget } from '../steps.js';
import { pandafuzz, startPandafuzz } from './run.js';

interface Line {
  readonly kind: string;
  readonly text: string;
  readonly before: boolean;
}

/** What a watch prints, to wait for one line after another. */
function linesOf(child: ChildProcess) {
  if (!child.stdout) throw new Error('it has no output');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return async (kind: string): Promise<Line> => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) throw new Error(`it ended before ${kind}`);
      const line = JSON.parse(value) as Line;
      if (line.kind === kind) return line;
    }
  };
}

const input = Buffer.from('seed');
const inputSha256 = '19b25856e1c150ca834cffc8b59b23adbd0ec0389e58eb22b3b64768098d002b';
const report = '==1==ERROR: AddressSanitizer: SEGV\n    #0 0x1 in deep /t.c:1\n';

test('a watch begins with what is, tells jobs and crashes, and outlives its master', async () => {
  const directory = temporaryFolder();
  const first = await runMasterFor({}, directory);
  const { connection, address } = first;
  const { sha256: targetSha256 } = await uploadTarget(connection);
  await createJob(connection, { targetSha256, targetName: 'png' });

  const args = ['watch', '--json', '--master', address];
  const { child, ended } = startPandafuzz(args);
  const next = linesOf(child);
  expect(await next('target')).toMatchObject({
    before: true,
    text: expect.stringMatching(/^png: /),
  });
  const waiting = startPandafuzz(['watch', '--until-crash', '--json', '--master', address]);
  await linesOf(waiting.child)('target');
  const lease = await pulledLease(connection);
  expect(await next('job.assigned')).toMatchObject({
    before: false,
    text: expect.stringMatching(/ png/),
  });
  const path = join(directory, 'input');
  writeFileSync(path, input);
  const crash = { lease, inputSha256, inputSizeBytes: input.length, report };
  const { groupId } = await reportCrash(connection, crash, path);
  expect(await next('crash_group.new')).toMatchObject({
    text: `SEGV in deep (t.c:1), png, group ${groupId.slice(0, 13)}`,
  });
  expect(await waiting.ended).toMatchObject({ code: 10, err: '' });

  await first.master.stop();
  await next('master.away');
  const again = await runMasterFor({ PANDAFUZZ_GRPC_ADDRESS: address }, directory);
  await next('master.back');
  const late = await createJob(again.connection, { targetSha256, name: 'late' });
  expect(await next('job.created')).toMatchObject({ text: expect.stringMatching(/ late$/) });
  child.kill('SIGINT');
  expect(await ended).toMatchObject({ code: 130, err: 'pandafuzz: interrupted\n' });

  const job = startPandafuzz(['job', 'watch', late.id, '--json', '--master', address]);
  const ofJob = linesOf(job.child);
  expect(await ofJob('job.pending')).toMatchObject({
    before: true,
    text: expect.stringMatching(/ late; .*no bot is online/),
  });
  const { jobs } = again.connection;
  await unary(jobs, jobs.cancelJob, { jobId: late.id });
  expect((await job.ended).code).toBe(1);
});

test('a watch without a master says so at once', async () => {
  const ran = await pandafuzz(['watch', '--master', '127.0.0.1:1']);
  expect(ran).toMatchObject({ code: 69, err: expect.stringMatching(/no master answers/) });
});

test('the watch of a job ends with it, and a watch for a time with 0', async () => {
  const { connection, address } = await runMasterFor();
  const { id } = await createJob(connection);
  const watching = pandafuzz(['job', 'watch', id, '--master', address]);
  const lease = await pulledLease(connection);
  const result = { outcome: JobOutcome.COMPLETED, message: '', statistics: undefined };
  await unary(connection.jobs, connection.jobs.completeJob, { lease, result });
  expect(await watching).toMatchObject({ code: 0, out: expect.stringMatching(/ job\.completed /) });
  const timed = await pandafuzz(['watch', '--for', '1s', '--master', address]);
  expect(timed).toMatchObject({ code: 0, err: '' });
});
