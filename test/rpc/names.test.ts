import { expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import { runMasterFor } from '../harness.js';
import { createJob, given, registerBot, uploadTarget } from '../steps.js';

/** Names that mean something to JavaScript, as labels and environment. */
const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '__defineGetter__'];
const pairs = Object.fromEntries(names.map((name) => [name, `of ${name}`]));
/** As lists of entries: a matcher would not see an own property of that name. */
const entries = (map: object | undefined) => Object.entries(map ?? {}).sort();

test('names of labels and environment are data, whatever they mean to JavaScript', async () => {
  const { connection } = await runMasterFor();
  const { jobs, bots } = connection;
  const { sha256: targetSha256 } = await uploadTarget(connection);
  const requirements = { labels: pairs, memoryMib: 0, diskMib: 0, otherThanBotId: '' };
  const { id } = await createJob(connection, { targetSha256, requirements, environment: pairs });

  const job = given((await unary(jobs, jobs.getJob, { jobId: id })).job);
  expect(entries(job.spec?.environment)).toEqual(entries(pairs));
  expect(entries(job.spec?.requirements?.labels)).toEqual(entries(pairs));

  // A bot without them is told which it lacks, and does not get the job.
  const without = await registerBot(connection, 'without', { labels: {} });
  const wish = { botId: without.id, waitMs: 0, leaseTtlMs: 0 };
  expect((await unary(jobs, jobs.assignJob, wish)).assignment).toBeUndefined();

  const bot = await registerBot(connection, 'bot', { labels: pairs });
  expect(entries((await unary(bots, bots.getBot, { botId: bot.id })).bot?.labels)).toEqual(
    entries(pairs),
  );
  const asked = { botId: bot.id, waitMs: 10_000, leaseTtlMs: 0 };
  const { assignment } = await unary(jobs, jobs.assignJob, asked);
  expect(assignment?.lease?.jobId).toBe(id);
  expect(entries(assignment?.spec?.environment)).toEqual(entries(pairs));
});
