import type { ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import type { Connection } from '../../src/client/connect.js';
import { reportCrash } from '../../src/client/transfer.js';
import { JobOutcome } from '../../src/gen/pandafuzz/v1/job.js';
import type { Lease } from '../../src/gen/pandafuzz/v1/lease.js';
import { runMasterFor, temporaryFolder } from '../harness.js';
import { pause } from '../pause.js';
import { Process, place, reach } from '../processes.js';
import { createJob, metric, pulledLease, uploadTarget } from '../steps.js';
import { pandafuzz, startPandafuzz } from './run.js';

interface Line {
  readonly kind: string;
  readonly text: string;
  readonly before: boolean;
  /** Of changes of jobs. */
  readonly cursor?: number;
  readonly job?: { id: string };
}

/** What a watch prints, to wait for one line after another. */
function linesOf(child: ChildProcess) {
  if (!child.stdout) throw new Error('it has no output');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const all: Line[] = [];
  async function next(kind: string, about = ''): Promise<Line> {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) throw new Error(`it ended before ${kind}: ${all.map((one) => one.kind)}`);
      const line = JSON.parse(value) as Line;
      all.push(line);
      if (line.kind === kind && line.text.includes(about)) return line;
    }
  }
  return { all, next };
}

const input = Buffer.from('seed');
const inputSha256 = '19b25856e1c150ca834cffc8b59b23adbd0ec0389e58eb22b3b64768098d002b';
const report = '==1==ERROR: AddressSanitizer: SEGV\n    #0 0x1 in deep /t.c:1\n';

async function reportAndComplete(connection: Connection, lease: Lease): Promise<string> {
  const path = join(temporaryFolder(), 'input');
  writeFileSync(path, input);
  const crash = { lease, inputSha256, inputSizeBytes: input.length, report };
  const { groupId } = await reportCrash(connection, crash, path);
  const result = { outcome: JobOutcome.COMPLETED, message: '', statistics: undefined };
  await unary(connection.jobs, connection.jobs.completeJob, { lease, result });
  return groupId;
}

test('watches begin with what is, tell crashes, and end as they promise', async () => {
  const { connection, address } = await runMasterFor();
  const { sha256: targetSha256 } = await uploadTarget(connection);
  const { id } = await createJob(connection, { targetSha256, targetName: 'png' });

  const all = startPandafuzz(['watch', '--until-crash', '--json', '--master', address]);
  const timed = pandafuzz(['watch', '--for', '1s', '--project', 'none', '--master', address]);
  const one = startPandafuzz(['job', 'watch', id, '-o', 'jsonl', '--master', address]);
  const ofAll = linesOf(all.child);
  const ofJob = linesOf(one.child);
  expect(await ofAll.next('target')).toMatchObject({
    before: true,
    text: expect.stringMatching(/^png: /),
  });
  expect(await ofJob.next('job.pending')).toMatchObject({
    before: true,
    text: expect.stringMatching(/ png; .*no bot is online/),
  });
  const lease = await pulledLease(connection);
  expect(await ofAll.next('job.assigned', ' png')).toMatchObject({ before: false });
  const groupId = await reportAndComplete(connection, lease);
  expect(await ofAll.next('crash_group.new')).toMatchObject({
    text: `SEGV in deep (t.c:1), png, group ${groupId.slice(0, 13)}`,
  });
  expect(await all.ended).toMatchObject({ code: 10, err: '' });
  // Its crash is told before its end, and once.
  await ofJob.next('job.completed');
  expect(ofJob.all.filter(({ kind }) => kind === 'crash')).toHaveLength(1);
  expect(await one.ended).toMatchObject({ code: 0, err: '' });
  expect(await timed).toMatchObject({ code: 0, err: '' });
});

test('no change is lost or told twice when the master stops or is killed', async () => {
  const { address, environment } = await place();
  const here = { ...environment, PANDAFUZZ_LEASES_HEARTBEAT_INTERVAL: '1s' };
  const first = await runMasterFor(here, environment.PANDAFUZZ_DATA_DIRECTORY);
  const connection = await reach(address);
  const { jobs } = connection;
  const { sha256: targetSha256 } = await uploadTarget(connection);
  const before = await createJob(connection, { targetSha256, name: 'before' });
  const { child, ended } = startPandafuzz(['job', 'watch', '--json', '--master', address]);
  const { all, next } = linesOf(child);
  const ids: string[] = [];
  // As soon as a master is there, before the watch knows.
  const cancelOne = async (name: string) => {
    const { id } = await createJob(connection, { targetSha256, name });
    ids.push(id);
    await unary(jobs, jobs.cancelJob, { jobId: id });
  };
  expect(await next('job.pending', ' before')).toMatchObject({ before: true });
  await unary(jobs, jobs.cancelJob, { jobId: before.id });
  await next('job.cancelled', ' before');

  // One that goes on from the last change, and has nothing to tell before the master stops.
  const after = `${all.at(-1)?.cursor}`;
  const later = startPandafuzz(['job', 'watch', '--after', after, '--json', '--master', address]);
  const quiet = linesOf(later.child);
  while ((await metric(first.master, 'api_in_flight{pool="feeds"}')) < 2) await pause();

  await first.master.stop();
  await next('master.away');
  await quiet.next('master.away');
  const second = new Process(['master'], environment);
  await reach(address);
  await cancelOne('stopped');
  await next('job.cancelled', ' stopped');
  await quiet.next('job.cancelled', ' stopped');
  later.child.kill('SIGINT');
  second.end('SIGKILL');
  await second.exited;
  await next('master.away');
  await runMasterFor(here, environment.PANDAFUZZ_DATA_DIRECTORY);
  await reach(address);
  await cancelOne('killed');
  await next('job.cancelled', ' killed');

  for (const id of ids) {
    const kinds = all.filter(({ job }) => job?.id === id).map(({ kind }) => kind);
    expect(kinds).toEqual(['job.created', 'job.cancel_requested', 'job.cancelled']);
  }
  const cursors = all.flatMap(({ cursor }) => cursor ?? []);
  expect(cursors).toEqual([...new Set(cursors)].sort((a, b) => a - b));
  const links = all.filter(({ kind }) => kind.startsWith('master.')).map(({ kind }) => kind);
  expect(links).toEqual(['master.away', 'master.back', 'master.away', 'master.back']);
  child.kill('SIGINT');
  expect(await ended).toMatchObject({ code: 130, err: 'pandafuzz: interrupted\n' });
});

test('a watch without a master says so at once', async () => {
  const ran = await pandafuzz(['watch', '--master', '127.0.0.1:1']);
  expect(ran).toMatchObject({ code: 69, err: expect.stringMatching(/no master answers/) });
});
