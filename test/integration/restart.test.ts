import { expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import type { Connection } from '../../src/client/connect.js';
import type { AuditEntry } from '../../src/gen/pandafuzz/v1/identity_service.js';
import { JobState } from '../../src/gen/pandafuzz/v1/job.js';
import { verifyChain } from '../../src/operator/audit-chain.js';
import { listJobs } from '../../src/operator/lists.js';
import { each, type ReadPage } from '../../src/operator/pages.js';
import { pause } from '../pause.js';
import { Process, place, reach } from '../processes.js';
import { createJob, createJobs, uploadTarget } from '../steps.js';

const everything = { state: JobState.UNSPECIFIED, limit: 10_000 };

test('a master that is killed in the middle of writes has every job it acknowledged', async () => {
  const { address, environment } = await place();
  const first = new Process(['master'], environment);
  const connection = await reach(address);
  const { sha256: targetSha256 } = await uploadTarget(connection);
  const { acknowledged, stopped } = createJobs(connection, targetSha256);
  while (acknowledged.length < 200) await pause();
  first.end('SIGKILL');
  await stopped;

  new Process(['master'], environment);
  const after = await reach(address);
  const kept = new Set((await listJobs(after, everything)).map((job) => job.id));
  expect(acknowledged.filter((id) => !kept.has(id))).toEqual([]);

  // The audit log has each of them, acknowledged or not, and is unbroken.
  const audited = new Set<string>();
  const { check, wrong } = await verifyChain(async function* () {
    for await (const entry of each(auditPages(after))) {
      if (entry.method === 'JobService/CreateJob') audited.add(idIn(entry.about));
      yield entry;
    }
  });
  expect([wrong, check.count > 200]).toEqual([undefined, true]);
  expect([...audited].sort()).toEqual([...kept].sort());
});

const auditPages =
  ({ identity }: Connection): ReadPage<AuditEntry> =>
  async (page) => {
    const all = { caller: '', since: undefined, oldestFirst: true };
    const answer = await unary(identity, identity.listAuditEntries, { ...page, ...all });
    return { items: answer.entries, nextPageToken: answer.nextPageToken };
  };

const idIn = (about: string): string => new Map<string, string>(JSON.parse(about)).get('id') ?? '';

test('a master ends on SIGTERM with streams open, of itself and not at the end of its time for that, and says so', async () => {
  const { address, environment } = await place();
  const master = new Process(['master'], { ...environment, PANDAFUZZ_TIMEOUTS_SHUTDOWN: '5m' });
  const connection = await reach(address);
  const call = connection.bots.heartbeat();
  const ended = new Promise<string>((resolve) =>
    call.once('error', ({ message }) => resolve(message)),
  );
  await createJob(connection);
  master.end('SIGTERM');
  expect(await master.exited).toEqual({ code: 0, signal: null });
  expect(await ended).toMatch(/UNAVAILABLE/);
  expect(master.said).toContain('"msg":"master stopped"');
  expect(master.said).not.toMatch(/"level":[456]0/); // of calls cut off, of parts left behind
});
