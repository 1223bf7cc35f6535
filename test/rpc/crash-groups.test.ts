import { readFileSync } from 'node:fs';
import { status as Code } from '@grpc/grpc-js';
import { expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import type { Connection } from '../../src/client/connect.js';
import { failureOf } from '../../src/client/failure.js';
import { reportCrash } from '../../src/client/transfer.js';
import { newId } from '../../src/core/ids.js';
import { CrashGroupStatus } from '../../src/gen/pandafuzz/v1/crash.js';
import {
  CrashReport,
  ListCrashGroupsRequest,
  ReportCrashRequest,
  SetCrashGroupStatusRequest,
} from '../../src/gen/pandafuzz/v1/crash_service.js';
import { JobKind, type JobSpec } from '../../src/gen/pandafuzz/v1/job.js';
import type { Lease } from '../../src/gen/pandafuzz/v1/lease.js';
import { runMasterFor, temporaryFile } from '../harness.js';
import { createJob, given, metric, pulledLease } from '../steps.js';
import { RawClient } from '../wire/raw-client.js';

const sample = (name: string) => readFileSync(`test/crash/samples/${name}.txt`, 'utf8');

const failure = async (call: Promise<unknown>) =>
  failureOf(
    await call.then(
      () => undefined,
      (error: unknown) => error,
    ),
  );

function crash(connection: Connection, lease: Lease, report: string) {
  const { path, sha256: inputSha256, bytes } = temporaryFile(newId());
  const about = { lease, inputSha256, inputSizeBytes: bytes.length, report };
  return reportCrash(connection, about, path);
}

test('groups are shown, judged, merged, found by a prefix and regrouped', async () => {
  const { connection, master } = await runMasterFor();
  const { crashes, system } = connection;
  await createJob(connection, { project: 'night' });
  const lease = await pulledLease(connection);
  const overflow = await crash(connection, lease, sample('asan-heap-buffer-overflow'));
  const leak = await crash(connection, lease, sample('asan-double-free'));
  expect(leak.groupId).not.toBe(overflow.groupId);
  const hits = [{ crashId: leak.crashId, hits: 5 }];
  await unary(crashes, crashes.reportCrashHits, { lease, hits });

  const found = await unary(crashes, crashes.listCrashGroups, {
    ...ListCrashGroupsRequest.create({ project: 'night', text: 'double' }),
  });
  expect(found.groups).toMatchObject([
    { id: leak.groupId, kind: 'double-free', crashHits: 5, crashInputsKept: 1, project: 'night' },
  ]);
  const ids = await unary(system, system.findIds, {
    prefix: leak.groupId.slice(0, 23),
    resources: ['crash group'],
  });
  expect(ids.found).toContainEqual({ id: leak.groupId, resource: 'crash group' });

  const merge = { groupIds: [leak.groupId], intoGroupId: overflow.groupId, by: 'ada' };
  const { decisions } = await unary(crashes, crashes.mergeCrashGroups, merge);
  const judge = SetCrashGroupStatusRequest.create({
    groupId: leak.groupId,
    status: CrashGroupStatus.FIXED,
    by: 'ada',
  });
  const refused = await failure(unary(crashes, crashes.setCrashGroupStatus, judge));
  expect(refused).toMatchObject({ code: Code.FAILED_PRECONDITION });
  expect(refused?.message).toContain(overflow.groupId);
  const { group } = await unary(crashes, crashes.getCrashGroup, { groupId: leak.groupId });
  expect(group?.mergedInto).toBe(overflow.groupId);

  for (const dryRun of [true, false]) {
    const messages = [];
    for await (const message of crashes.regroupCrashes({ dryRun })) messages.push(message);
    expect(messages.at(-1)).toMatchObject({ crashesRead: 2, crashesMoved: 0, groups: 1 });
  }
  const undo = { decisionId: given(decisions[0]).id, by: 'ada' };
  await unary(crashes, crashes.undoCrashDecision, undo);
  expect(await metric(master, 'crash_groups')).toBe(2);
  expect(await metric(master, 'crash_hits')).toBe(6);
  expect(await metric(master, 'crash_inputs_kept')).toBe(2);
});

test('a crash for an unknown job is refused while its sender still waits to send the input', async () => {
  const { connection, address } = await runMasterFor();
  await createJob(connection);
  const lease = { ...(await pulledLease(connection)), jobId: newId() };
  const report = CrashReport.create({
    lease,
    inputSha256: 'a'.repeat(64),
    inputSizeBytes: 1000,
    report: '',
  });
  const call = new RawClient(address).open('/pandafuzz.v1.CrashService/ReportCrash');
  const message = { message: { $case: 'report' as const, value: report } };
  call.send(ReportCrashRequest.encode(message).finish());
  expect(Code[(await call.answer).code]).toBe('NOT_FOUND');
});

test.each<[string, Partial<JobSpec>]>([
  ['spec.project', { project: 'a b' }],
  ['spec.project', { project: 'x'.repeat(65) }],
  ['spec.kind', { kind: JobKind.REPRODUCE }],
  ['spec.crash_work', { crashWork: { inputs: [], runs: 1 } }],
])('a job is refused for its %s', async (field, spec) => {
  const { connection } = await runMasterFor();
  const refused = await failure(createJob(connection, spec));
  expect(refused).toMatchObject({ code: Code.INVALID_ARGUMENT });
  expect(refused?.message).toContain(field);
});
