import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { status as Code } from '@grpc/grpc-js';
import { expect, test } from '@jest/globals';
import { unary } from '../../../src/client/call.js';
import type { Connection } from '../../../src/client/connect.js';
import { formatAddress } from '../../../src/config/quantities.js';
import { seal, secretKeyOf, unseal } from '../../../src/core/secret-box.js';
import { JobState } from '../../../src/gen/pandafuzz/v1/job.js';
import { pandafuzz } from '../../cli/run.js';
import { runMasterFor, temporaryFolder } from '../../harness.js';
import { createJob, given, pulledLease, registerBot, uploadTarget } from '../../steps.js';

const value = 'correct horse battery staple';
const keyFile = (folder = temporaryFolder()) => {
  const path = join(folder, 'key');
  writeFileSync(path, `${randomBytes(32).toString('hex')}\n`);
  return path;
};
const withKey = (path: string) => ({ PANDAFUZZ_SECRETS_KEY_FILE: path });

const set = ({ secrets }: Connection, name = 'api', text = value) =>
  unary(secrets, secrets.setSecret, { project: '', name, value: Buffer.from(text) });

const list = async ({ secrets }: Connection) => {
  const page = { pageSize: 0, pageToken: '', project: '' };
  return (await unary(secrets, secrets.listSecrets, page)).secrets;
};

const withSecret = { environment: { API: 'secret:api', MODE: 'x' } };

/** What a bot that pulls gets. */
async function assigned(connection: Connection) {
  const bot = await registerBot(connection, 'puller');
  const { jobs } = connection;
  const wish = { botId: bot.id, waitMs: 0, leaseTtlMs: 0 };
  return given((await unary(jobs, jobs.assignJob, wish)).assignment);
}

/** Every file below a folder, as text. */
const everything = (folder: string): string =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n');

test('a box opens by its key alone, for what it was sealed about, and only unchanged', () => {
  const [key, other] = [randomBytes(32), randomBytes(32)].map((bytes) =>
    given(secretKeyOf(bytes.toString('base64'))),
  ) as [NonNullable<ReturnType<typeof secretKeyOf>>, NonNullable<ReturnType<typeof secretKeyOf>>];
  const sealed = seal(key, 'a/b', value);
  expect(unseal(key, 'a/b', sealed)).toBe(value);
  expect(unseal(other, 'a/b', sealed)).toBeUndefined();
  expect(unseal(key, 'a/c', sealed)).toBeUndefined();
  const bytes = Buffer.from(sealed, 'base64');
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  expect(unseal(key, 'a/b', bytes.toString('base64'))).toBeUndefined();
  expect(unseal(key, 'a/b', '')).toBeUndefined();
  expect(seal(key, 'a/b', value)).not.toBe(sealed);
  expect(secretKeyOf('0123')).toBeUndefined();
});

test('a value goes to the bot with the assignment, and nowhere else', async () => {
  const directory = temporaryFolder();
  const { connection, master } = await runMasterFor(withKey(keyFile()), directory);
  expect((await set(connection)).secret).toMatchObject({ name: 'api', readable: true });
  const job = await createJob(connection, withSecret);
  expect(job.spec?.environment).toEqual(withSecret.environment);
  const assignment = await assigned(connection);
  expect(assignment.secrets).toEqual({ api: value });
  expect(assignment.spec?.environment).toEqual(withSecret.environment);
  const { jobs, identity } = connection;
  const shown = [
    await unary(jobs, jobs.getJob, { jobId: job.id }),
    await unary(jobs, jobs.listJobs, { pageSize: 0, pageToken: '', state: JobState.UNSPECIFIED }),
    await list(connection),
    await unary(identity, identity.listAuditEntries, {
      ...{ pageSize: 0, pageToken: '', caller: '', since: undefined, oldestFirst: false },
    }),
  ];
  expect(JSON.stringify(shown)).not.toContain(value);
  expect(JSON.stringify(shown)).toContain('SecretService/SetSecret');
  const metrics = await fetch(`http://${formatAddress(master.http)}/metrics`);
  expect(await metrics.text()).not.toContain(value);
  const copy = join(temporaryFolder(), 'copy');
  const environment = { PANDAFUZZ_MASTER: formatAddress(master.grpc) };
  const backup = await pandafuzz(['backup', copy], { environment });
  expect([backup.code, backup.out + backup.err]).toEqual([0, expect.not.stringContaining(value)]);
  const copied = everything(copy);
  expect(copied).toContain('secret:api');
  expect(copied).not.toContain(value);
  await master.stop();
  expect(everything(directory)).not.toContain(value);
});

test('a secret that is not there, or of another project, is told when the job is made', async () => {
  const { connection } = await runMasterFor(withKey(keyFile()));
  await set(connection);
  const refused = { code: Code.FAILED_PRECONDITION, details: expect.stringContaining('not there') };
  const { sha256: targetSha256 } = await uploadTarget(connection);
  const absent = { environment: { A: 'secret:other' }, targetSha256 };
  await expect(createJob(connection, absent)).rejects.toMatchObject(refused);
  const elsewhere = { ...withSecret, project: 'elsewhere', targetSha256 };
  await expect(createJob(connection, elsewhere)).rejects.toMatchObject(refused);
  const invalid = { code: Code.INVALID_ARGUMENT };
  await expect(set(connection, 'api', 'short')).rejects.toMatchObject(invalid);
  await expect(set(connection, 'api', 'with \0 within')).rejects.toMatchObject(invalid);
});

test('without the key only jobs with secrets wait, and a new key takes over', async () => {
  const directory = temporaryFolder();
  const [old, next] = [keyFile(), keyFile()];
  const first = await runMasterFor(withKey(old), directory);
  await set(first.connection);
  await createJob(first.connection, { ...withSecret, priority: 1 });
  const free = await createJob(first.connection);
  await first.master.stop();

  // What the bot could not have pauses for so long.
  const pauses = { PANDAFUZZ_JOBS_RETRY_DELAY: '1h', PANDAFUZZ_JOBS_MAX_RETRY_DELAY: '1h' };
  const second = await runMasterFor({ ...withKey(next), ...pauses }, directory);
  expect(await list(second.connection)).toMatchObject([{ name: 'api', readable: false }]);
  await expect(assigned(second.connection)).rejects.toMatchObject({
    code: Code.FAILED_PRECONDITION,
    details: expect.stringContaining('secrets.old_key_files'),
  });
  expect((await pulledLease(second.connection, 'puller')).jobId).toBe(free.id);
  await second.master.stop();

  const rotating = { ...withKey(next), PANDAFUZZ_SECRETS_OLD_KEY_FILES: JSON.stringify([old]) };
  const third = await runMasterFor(rotating, directory);
  expect(await list(third.connection)).toMatchObject([{ name: 'api', readable: true }]);
  await third.master.stop();

  const fourth = await runMasterFor(withKey(next), directory);
  const again = await createJob(fourth.connection, withSecret);
  expect(await assigned(fourth.connection)).toMatchObject({
    lease: { jobId: again.id },
    secrets: { api: value },
  });
});

test('a master without a key takes no secrets, and one with a bad key does not start', async () => {
  const { connection } = await runMasterFor();
  const why = { code: Code.FAILED_PRECONDITION, details: expect.stringContaining('key_file') };
  await expect(set(connection)).rejects.toMatchObject(why);
  const bad = runMasterFor({ PANDAFUZZ_SECRETS_KEY: 'not a key' });
  await expect(bad).rejects.toThrow('64 hex digits');
});
