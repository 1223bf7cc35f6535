import { expect, test } from '@jest/globals';
import { feed, unary } from '../../src/client/call.js';
import { JobStatistics, RunNoteKind } from '../../src/gen/pandafuzz/v1/job.js';
import { jobDetails, jobTable } from '../../src/operator/views.js';
import { runMasterFor } from '../harness.js';
import { ScriptedBot } from '../scripted-bot.js';
import { createJob, given, registerBot } from '../steps.js';

test('notes of a run come with its beats, are bounded and cleaned, and a new subject is an event', async () => {
  const { connection } = await runMasterFor({ PANDAFUZZ_LEASES_FLUSH_INTERVAL: '100ms' });
  const { id: jobId } = await createJob(connection);
  const bot = new ScriptedBot(connection, (await registerBot(connection)).id);
  await bot.hello(1);
  await bot.beat(1);
  const lease = await bot.take();
  const statistics = JobStatistics.fromPartial({
    executions: 1000,
    executionsEstimate: 1900,
    figuresAgeMs: 65_000,
    engineStarts: 40,
    restartingMs: 900,
    elapsedMs: 1000,
    notes: [
      { kind: RunNoteKind.RESTARTS, text: 'crashes \u001b[31min\nred' },
      ...Array.from({ length: 11 }, () => ({ kind: RunNoteKind.LEAKS, text: 'x'.repeat(1000) })),
    ],
  });
  const value = { sequence: 2, freeSlots: 0, leases: [{ lease, phase: 2, statistics }] };
  bot.say({ $case: 'beat', value: { ...value, resources: undefined } });

  const { signal } = new AbortController();
  for await (const change of feed(
    connection.jobs,
    connection.jobs.watchJobs,
    { jobId, cursor: 1 },
    signal,
  )) {
    if (change.kind === 'job.noted') break;
  }
  const { job, attempts } = await unary(connection.jobs, connection.jobs.getJob, { jobId });
  const { notes = [] } = job?.statistics ?? {};
  expect(notes).toHaveLength(8);
  expect(notes[0]).toEqual({ kind: RunNoteKind.RESTARTS, text: 'crashes  [31min red' });
  expect(notes[1]?.text).toBe('x'.repeat(256));
  const details = jobDetails(given(job), attempts, Date.now());
  expect(details).toMatch(/notes +crashes {2}\[31min red\n/);
  expect(details).toMatch(/executions +~1\.9k \(reported: 1\.0k, 65 s before\)/);
  expect(details).toMatch(/starts +40 of the engine, 90 % of the time/);
  expect(jobTable([given(job)], Date.now())).toMatch(/~1\.9k .* 8! /);
});
