import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import type { Connection } from '../../src/client/connect.js';
import { reportCrash } from '../../src/client/transfer.js';
import { newId } from '../../src/core/ids.js';
import { CrashGroupStatus } from '../../src/gen/pandafuzz/v1/crash.js';
import { SetCrashGroupStatusRequest } from '../../src/gen/pandafuzz/v1/crash_service.js';
import type { Lease } from '../../src/gen/pandafuzz/v1/lease.js';
import { runMasterFor, temporaryFile, temporaryFolder } from '../harness.js';
import { type Received, Receiver, status } from '../state/notifications/receiver.js';
import { createJob, eventually, metric, pulledLease } from '../steps.js';

const report = readFileSync('test/crash/samples/asan-heap-buffer-overflow.txt', 'utf8');

/** The crash that is new in each of these builds. */
async function crashOn(connection: Connection, lease: Lease) {
  const { path, sha256: inputSha256, bytes } = temporaryFile(newId());
  const about = { lease, inputSha256, inputSizeBytes: bytes.length, report };
  return (await reportCrash(connection, about, path)).groupId;
}

const about = ({ body }: Received) => {
  const { event, group } = JSON.parse(body);
  return [event, group.id, group.status, group.location];
};

test('a whole master delivers what happens to a group, and what a restart found waiting', async () => {
  const receiver = await Receiver.open();
  const directory = temporaryFolder();
  const secretFile = join(directory, 'secret');
  writeFileSync(secretFile, 'a secret of the tests\n');
  const list = `[{url: "${receiver.url}/hook", secret_file: "${secretFile}", name: chat}]`;
  const settings = { PANDAFUZZ_NOTIFICATIONS_WEBHOOKS: list };
  const first = await runMasterFor(settings, directory);
  await createJob(first.connection);
  const groupId = await crashOn(first.connection, await pulledLease(first.connection, 'one'));
  const made = about(await receiver.next());
  expect(made).toEqual(['crash_group.new', groupId, 'new', expect.stringMatching(/.+:\d+$/)]);

  receiver.replies.push(status(503), 'hang');
  const { crashes } = first.connection;
  await unary(crashes, crashes.setCrashGroupStatus, {
    ...SetCrashGroupStatusRequest.create({ groupId, status: CrashGroupStatus.FIXED, by: 'ada' }),
  });
  const tries = [await receiver.next(), await receiver.next()];
  // The second of them hangs, and the stop ends it.
  await first.master.stop();

  const second = await runMasterFor(settings, directory);
  tries.push(await receiver.next());
  expect(tries.map(about)).toEqual(Array(3).fill(['crash_group.fixed', groupId, 'fixed', made[3]]));
  expect(new Set(tries.map(({ headers }) => headers['x-pandafuzz-delivery'])).size).toBe(1);

  await createJob(second.connection);
  await crashOn(second.connection, await pulledLease(second.connection, 'two'));
  expect(about(await receiver.next()).slice(0, 3)).toEqual([
    'crash_group.reopened',
    groupId,
    'new',
  ]);
  const delivered =
    'notification_deliveries_total{destination="chat",kind="json",outcome="delivered"}';
  const count = await eventually(async () => {
    const value = await metric(second.master, delivered).catch(() => 0);
    return value === 2 ? value : undefined;
  });
  expect(count).toBe(2);
  expect(receiver.inbox.size).toBe(0);
});
