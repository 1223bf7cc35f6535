import { join } from 'node:path';
import { status as Code } from '@grpc/grpc-js';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { unary } from '../../../src/client/call.js';
import type { Connection } from '../../../src/client/connect.js';
import { failureOf } from '../../../src/client/failure.js';
import { reportCrash } from '../../../src/client/transfer.js';
import { newId } from '../../../src/core/ids.js';
import { InputPutAside } from '../../../src/gen/pandafuzz/v1/corpus_service.js';
import { CrashReport } from '../../../src/gen/pandafuzz/v1/crash_service.js';
import { Role } from '../../../src/gen/pandafuzz/v1/identity_service.js';
import { JobOutcome } from '../../../src/gen/pandafuzz/v1/job.js';
import type { Lease } from '../../../src/gen/pandafuzz/v1/lease.js';
import { shared, temporaryFile, temporaryFolder } from '../../harness.js';
import { ScriptedBot } from '../../scripted-bot.js';
import { runSecuredMaster, type SecuredMaster } from '../../secured.js';
import { createJob, given, registerBot } from '../../steps.js';

let scene: SecuredMaster;
let operator: Connection;
beforeAll(async () => {
  scene = await shared(() => runSecuredMaster());
  operator = await shared(async () => scene.as((await scene.token(Role.OPERATOR)).secret));
});

/** A bot with a token of its own, registered under a name that no other has. */
async function newBot(identity: string | null = newId()) {
  const { secret, id } = await scene.token(Role.BOT);
  const connection = scene.as(secret);
  const offer = identity === null ? {} : { identity };
  const bot = await registerBot(connection, `bot-${newId()}`, offer);
  return { connection, bot, identity: identity ?? '', tokenId: id };
}

async function leaseOf({ connection, bot }: { connection: Connection; bot: { id: string } }) {
  await createJob(operator);
  const wish = { botId: bot.id, waitMs: 10_000, leaseTtlMs: 0 };
  const { assignment } = await unary(connection.jobs, connection.jobs.assignJob, wish);
  return given(given(assignment).lease);
}

async function refusal(call: Promise<unknown>) {
  const failure = failureOf(
    await call.then(
      () => undefined,
      (error: unknown) => error,
    ),
  );
  return { code: failure?.code, reason: failure?.reason };
}

const otherBot = { code: Code.PERMISSION_DENIED, reason: 'OTHER_BOT' };
const result = { outcome: JobOutcome.COMPLETED, message: '', statistics: undefined };

/** What each call in which a bot names a lease is refused with. */
async function refusalsUnder({ corpora, crashes, jobs }: Connection, lease: Lease) {
  const input = temporaryFile('crash');
  const report = CrashReport.create({
    lease,
    inputSha256: input.sha256,
    inputSizeBytes: input.bytes.length,
    report: 'r',
  });
  const inputs = [InputPutAside.create({ sha256: input.sha256, reason: 1 })];
  const merged = { revision: 1, cursor: 1, before: undefined, after: undefined };
  const push = new Promise((resolve, reject) => {
    const call = corpora.pushCorpus((error, answer) => (error ? reject(error) : resolve(answer)));
    call.write({ message: { $case: 'lease', value: lease } });
    call.end();
  });
  const calls = {
    complete: unary(jobs, jobs.completeJob, { lease, result }),
    crash: reportCrash({ crashes } as Connection, report, input.path),
    hits: unary(crashes, crashes.reportCrashHits, { lease, hits: [{ crashId: newId(), hits: 1 }] }),
    reproduction: unary(crashes, crashes.reportReproduction, {
      ...{ lease, crashId: newId(), runs: 1, reports: [], log: '' },
    }),
    push,
    aside: unary(corpora, corpora.putInputsAside, { lease, inputs }),
    keep: unary(corpora, corpora.keepMergedInputs, { lease, sha256s: [input.sha256] }),
    finish: unary(corpora, corpora.finishMerge, { lease, ...merged }),
  };
  const answers = Object.entries(calls).map(async ([call, answer]) => {
    return { call, ...(await refusal(answer)) };
  });
  return Promise.all(answers);
}

describe('a bot with a token', () => {
  test('is that bot, and no other by name, id or identity', async () => {
    const [one, other] = [await newBot(), await newBot()];
    const hello = new ScriptedBot(one.connection, other.bot.id);
    const welcomed = hello.hello(1).catch(() => false);
    expect(await hello.failure()).toMatchObject(otherBot);
    expect(await welcomed).toBe(false);
    const pull = { botId: other.bot.id, waitMs: 0, leaseTtlMs: 0 };
    const { jobs } = one.connection;
    expect(await refusal(unary(jobs, jobs.assignJob, pull))).toEqual(otherBot);
    const asOther = registerBot(one.connection, 'x', { identity: other.identity });
    expect(await refusal(asOther)).toEqual(otherBot);
    // A new token takes nothing over from a bot that has one.
    const fresh = scene.as((await scene.token(Role.BOT)).secret);
    const stolen = registerBot(fresh, 'x', { identity: other.identity });
    expect(await refusal(stolen)).toEqual(otherBot);
    const named = registerBot(fresh, other.bot.name, { identity: newId() });
    expect((await named).id).not.toBe(other.bot.id);
    expect((await named).name).toBe(`${other.bot.name}-2`);
    const nameless = await newBot(null);
    const again = scene.as((await scene.token(Role.BOT)).secret);
    expect(await refusal(registerBot(again, nameless.bot.name))).toEqual(otherBot);
  });

  test('stays itself with another identity, another name, and a second token', async () => {
    const { connection, bot } = await newBot();
    const moved = await registerBot(connection, `${bot.name}-moved`, { identity: newId() });
    expect(moved.id).toBe(bot.id);
    const second = await scene.token(Role.BOT, { botId: bot.id });
    const replaced = await registerBot(scene.as(second.secret), bot.name, { identity: newId() });
    expect(replaced.id).toBe(bot.id);
  });

  test('reports under its own leases only, valid or ended', async () => {
    const [one, other] = [await newBot(), await newBot()];
    const lease = await leaseOf(other);
    for (const named of [
      lease,
      { ...lease, botId: one.bot.id },
      { ...lease, botId: other.bot.id },
    ]) {
      for (const { call, ...refused } of await refusalsUnder(one.connection, named)) {
        expect({ call, ...refused }).toEqual({ call, ...otherBot });
      }
    }
    const { jobs } = other.connection;
    const done = await unary(jobs, jobs.completeJob, { lease, result });
    expect(given(done.receipt).jobId).toBe(lease.jobId);
    for (const { call, ...refused } of await refusalsUnder(one.connection, lease)) {
      expect({ call, ...refused }).toEqual({ call, ...otherBot });
    }
    // Its own lease has ended, and so is stale: that is told to its bot alone.
    const late = await refusalsUnder(other.connection, lease);
    expect(late.find(({ call }) => call === 'keep')?.reason).toBe('STALE_LEASE');
  });

  test('cannot choose its pool', async () => {
    const plain = scene.as((await scene.token(Role.BOT)).secret);
    const name = `bot-${newId()}`;
    const chosen = registerBot(plain, name, { labels: { pool: 'trusted' } });
    expect((await refusal(chosen)).reason).toBe('OTHER_POOL');
    const pooled = scene.as((await scene.token(Role.BOT, { pool: 'rented' })).secret);
    const { labels } = await registerBot(pooled, name, { labels: { zone: 'eu' } });
    expect(labels).toEqual({ zone: 'eu', pool: 'rented' });
    const other = registerBot(pooled, name, { labels: { pool: 'trusted' } });
    expect((await refusal(other)).reason).toBe('OTHER_POOL');
  });

  test('loses its stream and its calls with its revocation, long before they would end', async () => {
    const { connection, bot, tokenId } = await newBot();
    const stream = new ScriptedBot(connection, bot.id);
    await stream.hello(0);
    await stream.beat(0);
    const pull = { botId: bot.id, waitMs: 30_000, leaseTtlMs: 0 };
    const waiting = refusal(unary(connection.jobs, connection.jobs.assignJob, pull));
    const { identity } = scene.admin;
    await unary(identity, identity.revokeToken, { tokenId });
    const revoked = { code: Code.UNAUTHENTICATED, reason: 'TOKEN_REVOKED' };
    expect(await stream.failure()).toMatchObject(revoked);
    expect(await waiting).toEqual(revoked);
    expect(await refusal(registerBot(connection, bot.name))).toEqual(revoked);
  });

  test('loses its stream when its token expires', async () => {
    const { secret } = await scene.token(Role.BOT, { validSeconds: 1 });
    const connection = scene.as(secret);
    const bot = await registerBot(connection, `bot-${newId()}`);
    const stream = new ScriptedBot(connection, bot.id);
    await stream.hello(0);
    expect((await stream.failure())?.reason).toBe('TOKEN_EXPIRED');
  });
});

describe('a token that enrols', () => {
  test('is exchanged once, for a token of its pool', async () => {
    const enrol = await scene.token(Role.ENROL, { pool: 'rented' });
    const { identity } = scene.as(enrol.secret);
    const made = await unary(identity, identity.enrolBot, { name: 'north' });
    expect(made.token).toMatchObject({ role: Role.BOT, pool: 'rented', name: 'north' });
    const again = unary(identity, identity.enrolBot, { name: 'north' });
    expect(await refusal(again)).toEqual({ code: Code.UNAUTHENTICATED, reason: 'TOKEN_USED' });
    const bot = await registerBot(scene.as(made.secret), `bot-${newId()}`);
    expect(bot.labels).toMatchObject({ pool: 'rented' });
  });

  test('is exchanged once, however many ask together', async () => {
    const { identity } = scene.as((await scene.token(Role.ENROL)).secret);
    const calls = Array.from({ length: 8 }, () =>
      unary(identity, identity.enrolBot, { name: 'north' }),
    );
    const settled = await Promise.allSettled(calls);
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});

test('tokens are on disk as hashes, with their last use, and survive the master', async () => {
  const directory = temporaryFolder();
  const first = await runSecuredMaster({}, directory);
  const { secret, id } = await first.token(Role.VIEWER);
  const viewer = first.as(secret);
  await unary(viewer.system, viewer.system.getSystemStats, {});
  await first.master.stop();
  const { default: Database } = await import('better-sqlite3');
  const db = new Database(join(directory, 'pandafuzz.db'), { readonly: true });
  const rows = JSON.stringify(db.prepare('SELECT * FROM tokens').all());
  db.close();
  expect(rows).not.toContain(secret.slice(-64));
  expect(rows).toMatch(/"last_used_at":\d+/);
  // The first admin's token is valid, so there is no other one.
  const second = await runSecuredMaster({}, directory);
  expect(second.adminToken).toBe(first.adminToken);
  const { identity } = second.as(secret);
  const { token, denied } = await unary(identity, identity.getCaller, {});
  expect(token).toMatchObject({ id, role: Role.VIEWER, name: 'viewer' });
  const roles = [Role.OPERATOR, Role.ADMIN];
  expect(denied).toContainEqual({ method: 'pandafuzz.v1.JobService/CancelJob', roles });
  expect(denied.map(({ method }) => method)).not.toContain('pandafuzz.v1.JobService/GetJob');
  const all = await unary(second.admin.identity, second.admin.identity.getCaller, {});
  const ofBots = all.denied.every((one) => !one.roles.includes(Role.OPERATOR));
  expect([all.denied.length > 0, ofBots]).toEqual([true, true]);
});
