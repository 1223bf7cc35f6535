import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import Database from 'better-sqlite3';
import { unary } from '../../src/client/call.js';
import { newId } from '../../src/core/ids.js';
import { AuditEntry, Role } from '../../src/gen/pandafuzz/v1/identity_service.js';
import { JobSpec } from '../../src/gen/pandafuzz/v1/job.js';
import { aboutOf, changes } from '../../src/rpc/audit.js';
import { day, openAuditLog } from '../audit-log.js';
import { shared, temporaryFolder } from '../harness.js';
import { runSecuredMaster, type SecuredMaster } from '../secured.js';
import { pandafuzz } from './run.js';

let scene: SecuredMaster;
beforeAll(async () => {
  scene = await shared(() => runSecuredMaster());
});

function asked(args: readonly string[], token = scene.adminToken) {
  const environment = { PANDAFUZZ_MASTER: scene.address, PANDAFUZZ_TOKEN: token };
  return pandafuzz(args, { environment });
}

const entries = async (...more: string[]): Promise<AuditEntry[]> =>
  JSON.parse((await asked(['audit', '--json', ...more])).out).entries;

describe('the audit log', () => {
  test('has who changed what, from where, by which request, and no secret', async () => {
    const made = await asked(['token', 'create', 'audited', '--role', 'viewer']);
    const secret = made.out.trim();
    const [entry] = await entries('--who', 'first admin', '--limit', '1');
    expect(entry).toMatchObject({
      kind: 'AUDIT_KIND_CHANGE',
      method: 'IdentityService/CreateToken',
      caller: 'first admin',
      role: 'admin',
      address: '127.0.0.1',
      outcome: 'OK',
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    const id = /token ([0-9a-f-]{36})/.exec(made.err)?.[1];
    const about = [
      ['name', 'audited'],
      ['role', 'viewer'],
      ['id', id],
    ];
    expect(JSON.parse(entry?.about ?? '')).toEqual(about);
    const table = await asked(['audit', '-o', 'wide']);
    expect(table.out).not.toContain(secret.slice(-20));
    expect(table.out).toMatch(
      /first admin \(admin\) +127\.0\.0\.1 +IdentityService\/CreateToken +ok/,
    );
  });

  test('has every change in the transaction that makes it: without its entry there is none', async () => {
    const db = new Database(join(scene.directory, 'pandafuzz.db'), { timeout: 60_000 });
    db.exec(`CREATE TRIGGER refuse BEFORE INSERT ON audit
      BEGIN SELECT RAISE(ABORT, 'no entry'); END`);
    await expect(scene.token(Role.VIEWER, { name: 'lost' })).rejects.toThrow(/error of its own/);
    expect(db.prepare("SELECT id FROM tokens WHERE name = 'lost'").all()).toEqual([]);
    db.exec('DROP TRIGGER refuse');
    db.close();
  });

  test('has a change that writes nothing in the database, before its answer', async () => {
    const { system } = scene.admin;
    const copy = system.backupDatabase({});
    await once(copy, 'data');
    copy.cancel();
    copy.on('error', () => {});
    const page = { pageSize: 1, pageToken: '', caller: '', since: undefined, oldestFirst: false };
    const { identity } = scene.admin;
    const [entry] = (await unary(identity, identity.listAuditEntries, page)).entries;
    expect(entry).toMatchObject({ method: 'SystemService/BackupDatabase', outcome: 'OK' });
  });

  test('keeps names and ids of a request, not its environment', async () => {
    const environment = { PASSWORD: 'hunter2-in-environment' };
    const targetSha256 = 'a'.repeat(64);
    const spec = { name: 'audited job', engine: 'libfuzzer', targetSha256, environment };
    const { jobs } = scene.admin;
    const request = { spec: JobSpec.create(spec), requestId: newId() };
    const failed = unary(jobs, jobs.createJob, request);
    await expect(failed).rejects.toThrow(/NOT_FOUND|artifact/);
    expect(aboutOf(request)).toEqual([
      ['name', 'audited job'],
      ['targetSha256', targetSha256],
    ]);
  });

  test('is verified, and says where it was changed', async () => {
    const whole = await asked(['audit', 'verify']);
    expect([whole.code, whole.err]).toEqual([0, '']);
    const head = /head (\S+)/.exec(whole.out)?.[1] ?? '';
    await scene.token(Role.VIEWER, { name: 'later' });
    const file = join(temporaryFolder(), 'audit.jsonl');
    const exported = (await asked(['audit', 'export'])).out;
    expect(exported).not.toMatch(/[0-9a-f]{64}_|pf_/);
    writeFileSync(file, exported);
    const ofFile = await asked(['audit', 'verify', '--file', file, '--head', head]);
    expect([ofFile.code, ofFile.err]).toEqual([0, '']);
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    writeFileSync(file, lines.slice(0, Number(head.split(':')[0]) - 1).join('\n'));
    const short = await asked(['audit', 'verify', '--file', file, '--head', head]);
    expect([short.code, short.err]).toEqual([12, expect.stringContaining('at the end of the log')]);

    const db = new Database(join(scene.directory, 'pandafuzz.db'), { timeout: 60_000 });
    db.exec("UPDATE audit SET caller = 'nobody' WHERE sequence = 2");
    const changed = await asked(['audit', 'verify', '--json']);
    expect(changed.code).toBe(12);
    expect(changed.err).toContain('broken at entry 2: its content does not fit its hash');
    expect(JSON.parse(changed.out)).toMatchObject({ entries: 1, broken: { sequence: 2 } });
    db.exec('DELETE FROM audit WHERE sequence <= 2');
    expect((await asked(['audit', 'verify'])).err).toContain(
      'no entry says that they were deleted',
    );
    db.close();
  });

  test('says with an exit code that it no longer has the head to compare with', async () => {
    const { audit, append, readPage } = await openAuditLog({ keep: 20 });
    await append(30, 10 * day);
    const [oldest] = (await readPage({ pageSize: 1, pageToken: '' })).items;
    await audit.sweep();
    const { items } = await readPage({ pageSize: 100, pageToken: '' });
    const file = join(temporaryFolder(), 'audit.jsonl');
    writeFileSync(file, items.map((entry) => JSON.stringify(AuditEntry.toJSON(entry))).join('\n'));
    const verify = ['audit', 'verify', '--json', '--file', file];
    const old = await asked([...verify, '--head', `1:${oldest?.hash}`]);
    const why = 'entry 1 of --head is older than the log, which begins with entry 12: not compared';
    expect([old.code, old.err]).toEqual([13, expect.stringContaining(why)]);
    expect(JSON.parse(old.out)).toMatchObject({ entries: 20, headCompared: false });
    const cut = await asked([...verify, '--head', `11:${items[0]?.previous}`]);
    expect([cut.code, cut.err]).toEqual([0, '']);
    expect(JSON.parse(cut.out)).toMatchObject({ headCompared: true });
  });

  test('has refused calls, with who made them, once the master has stopped', async () => {
    const { master, directory, token, as } = await runSecuredMaster();
    const { secret } = await token(Role.VIEWER, { name: 'curious' });
    const { identity } = as(secret);
    const page = { pageSize: 1, pageToken: '' };
    for (let i = 0; i < 3; i++) {
      await expect(unary(identity, identity.listTokens, page)).rejects.toThrow(/role viewer/);
    }
    await master.stop();
    const db = new Database(join(directory, 'pandafuzz.db'), { readonly: true });
    // One entry, or two where a flush came between the calls.
    const refused = `SELECT caller, method, outcome, sum(count) AS count FROM audit
      WHERE kind = 'refusal' GROUP BY caller, method, outcome`;
    expect(db.prepare(refused).all()).toEqual([
      {
        caller: 'curious',
        method: 'IdentityService/ListTokens',
        outcome: 'ROLE_NOT_ALLOWED',
        count: 3,
      },
    ]);
    db.close();
  });

  test('covers what people change, and not what bots report', () => {
    const names = [...changes.keys()].map((path) => path.split('.').at(-1));
    expect(names).toEqual(expect.arrayContaining(['JobService/CreateJob', 'BotService/DrainBot']));
    expect(names).not.toContain('JobService/CompleteJob');
    expect(names).not.toContain('JobService/GetJob');
    expect(names.length).toBeGreaterThan(25);
  });
});
