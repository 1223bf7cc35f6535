import { readdirSync } from 'node:fs';
import { beforeAll, expect, test } from '@jest/globals';
import { JobOutcome, JobState } from '../../src/gen/pandafuzz/v1/job.js';
import { shared, temporaryFolder } from '../endings.js';
import { databaseOf, ownServer } from '../postgres/databases.js';
import type { PostgresServer } from '../postgres/server.js';
import { Process, place, reach } from '../processes.js';
import { ScriptedBot } from '../scripted-bot.js';
import { createJob, jobIn, registerBot, uploadTarget } from '../steps.js';

/** `pandafuzz database migrate`, between real masters. */

let server: PostgresServer;
beforeAll(async () => {
  server = await shared(ownServer);
});

async function stopped(master: Process): Promise<void> {
  master.end('SIGTERM');
  await master.exited;
}

async function migrate(settings: Record<string, string>, from: string, to: string) {
  const move = new Process(['database', 'migrate', '--from', from, '--to', to], settings);
  const { code } = await move.exited;
  return { code, said: move.said };
}

test('a run goes on while its records move to PostgreSQL, and back', async () => {
  const { address, environment } = await place();
  const settings = { ...environment, PANDAFUZZ_LEASES_TTL: '10m' };
  const url = await databaseOf(temporaryFolder(), server.adminUrl);
  const onPostgres = { ...settings, PANDAFUZZ_DATABASE_URL: url };
  const folder = () => readdirSync(settings.PANDAFUZZ_DATA_DIRECTORY);

  const first = new Process(['master'], settings);
  const before = await reach(address);
  const { sha256: targetSha256 } = await uploadTarget(before);
  const { id: botId } = await registerBot(before);
  const bot = new ScriptedBot(before, botId);
  await bot.hello(1);
  const job = await createJob(before, { targetSha256 });
  const lease = await bot.take();
  await jobIn(before, job.id, JobState.RUNNING);
  expect(await migrate(settings, 'sqlite', url)).toMatchObject({
    code: 1,
    said: expect.stringContaining('belongs to another master (process'),
  });
  await stopped(first);

  expect(await migrate(settings, 'sqlite', url)).toEqual({ code: 0, said: '' });
  expect(folder()).not.toContain('pandafuzz.db');
  const second = new Process(['master'], onPostgres);
  const there = await reach(address);
  const again = new ScriptedBot(there, botId);
  expect(await again.hello(0, [lease])).toMatchObject({ leases: [{ keep: true }] });
  const later = await createJob(there, { targetSha256 });
  await stopped(second);

  expect(await migrate(onPostgres, 'postgres', 'sqlite')).toEqual({ code: 0, said: '' });
  expect(folder()).toContain('pandafuzz.db');
  expect(folder()).not.toContain('pandafuzz.database');
  new Process(['master'], settings);
  const back = await reach(address);
  const last = new ScriptedBot(back, botId);
  expect(await last.hello(0, [lease])).toMatchObject({ leases: [{ keep: true }] });
  await last.done(lease, JobOutcome.COMPLETED);
  await jobIn(back, job.id, JobState.COMPLETED);
  await jobIn(back, later.id, JobState.PENDING);

  const elsewhere = { ...settings, PANDAFUZZ_DATA_DIRECTORY: temporaryFolder() };
  expect(await migrate(elsewhere, url, 'sqlite')).toMatchObject({
    said: expect.stringContaining('does not have the blobs of this database'),
  });
});

test('what cannot be moved is refused in words', async () => {
  const { environment } = await place();
  const url = await databaseOf(temporaryFolder(), server.adminUrl);
  const refusals: [from: string, to: string, words: string][] = [
    ['sqlite', 'sqlite', 'one of --from and --to is sqlite'],
    ['sqlite', 'postgres', 'database.url is not set'],
    ['sqlite', 'mysql://x', 'no URL of PostgreSQL'],
    ['sqlite', url, 'has no SQLite database'],
    ['sqlite', 'postgres://nobody@127.0.0.1:1/x', 'has no SQLite database'],
    ['postgres://nobody@127.0.0.1:1/x', 'sqlite', 'no connection to the database'],
  ];
  const asked = refusals.map(async ([from, to, words]) => {
    const { code, said } = await migrate(environment, from, to);
    expect({ from, to, said }).toMatchObject({ said: expect.stringContaining(words) });
    expect(code).not.toBe(0);
  });
  await Promise.all(asked);
});
