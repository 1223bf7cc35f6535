import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import type { Connection } from '../../src/client/connect.js';
import { AttemptEnd, JobOutcome, JobState } from '../../src/gen/pandafuzz/v1/job.js';
import { Process, place, reach } from '../processes.js';
import { ScriptedBot } from '../scripted-bot.js';
import { createJob, given, registerBot, uploadTarget } from '../steps.js';

const hourMs = 3_600_000;
const silentForMs = 4000;

/** A wall clock for one process, which the test sets; its monotonic clock is the machine's. */
function settableClock(folder: string) {
  const path = join(folder, 'clock');
  const set = (hours: number) => {
    writeFileSync(`${path}.new`, `${hours < 0 ? '' : '+'}${hours}h\n`);
    renameSync(`${path}.new`, path);
  };
  set(0);
  const environment = {
    PANDAFUZZ_LOG_LEVEL: 'debug',
    // The loader puts the machine's own folder for $LIB, as in set-up.sh.
    LD_PRELOAD: '/usr/$LIB/faketime/libfaketimeMT.so.1',
    FAKETIME_TIMESTAMP_FILE: path,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  };
  return { set, environment };
}

/** What the wall clock of the process said when it offered this job, by its log. */
async function wallClockAtOffer(master: Process, jobId: string): Promise<number> {
  for (;;) {
    for (const line of master.said.split('\n').slice(0, -1)) {
      const { msg, job, time } = JSON.parse(line);
      if (msg === 'job offered' && job === jobId) return time;
    }
    await new Promise((resolve) => setImmediate(resolve)); // the log comes behind the answers
  }
}

const noTimeouts = { scheduleToStartSeconds: 0, startToCloseSeconds: 0, scheduleToCloseSeconds: 0 };

const getJob = async ({ jobs }: Connection, jobId: string) => {
  const { job, attempts } = await unary(jobs, jobs.getJob, { jobId });
  return { ...given(job), attempts };
};

test('a wall clock set two hours forward, and four back, ends no lease before its time, starts nothing early and holds nothing up', async () => {
  const { address, directory, environment } = await place();
  const clock = settableClock(directory);
  const master = new Process(['master'], { ...environment, ...clock.environment });
  const connection = await reach(address);
  const { sha256: targetSha256 } = await uploadTarget(connection);
  const submit = (spec: Parameters<typeof createJob>[1]) =>
    createJob(connection, { targetSha256, ...spec });

  const { id: botId } = await registerBot(connection, 'bot', { slots: 2 });
  const bot = new ScriptedBot(connection, botId);
  await bot.hello(1);
  const run = await submit({ timeouts: { ...noTimeouts, startToCloseSeconds: 3600 } });
  const lease = await bot.take();
  await bot.beat(0, [lease]);

  const inAnHour = await submit({ notBefore: new Date(Date.now() + hourMs) });
  const forNobody = await submit({
    requirements: { labels: { arch: 'none' }, memoryMib: 0, diskMib: 0, otherThanBotId: '' },
    timeouts: { ...noTimeouts, scheduleToStartSeconds: 3600, scheduleToCloseSeconds: 3600 },
  });
  const patient = await registerBot(connection, 'patient', { labels: { arch: 'other' } });
  const pull = () =>
    unary(connection.jobs, connection.jobs.assignJob, {
      ...{ botId: patient.id, waitMs: 20_000, leaseTtlMs: silentForMs },
    });
  const waiting = pull();

  /** A job that waits for a moment gets its turn: by then the master has looked at the time. */
  const expectTimePasses = async (wallClockOffMs: number) => {
    const { id } = await submit({ notBefore: new Date(Date.now() + 1000) });
    await bot.beat(1, [lease]);
    const next = await bot.take();
    expect(next.jobId).toBe(id);
    const offMs = (await wallClockAtOffer(master, id)) - Date.now();
    expect(Math.abs(offMs - wallClockOffMs)).toBeLessThan(60_000);
    await bot.done(next, JobOutcome.COMPLETED);
    const { createdAt, finishedAt } = await getJob(connection, id);
    const tookMs = given(finishedAt).getTime() - given(createdAt).getTime();
    expect(tookMs).toBeGreaterThanOrEqual(0);
    expect(tookMs).toBeLessThan(60_000);
  };

  const expectAllAsItWas = async () => {
    const { leases } = await bot.beat(0, [lease]);
    expect(leases).toMatchObject([{ lease, cancelRequested: false }]);
    expect(given(leases[0]).remainingTtlMs).toBeGreaterThan(29_000);
    expect(await getJob(connection, run.id)).toMatchObject({
      ...{ state: JobState.RUNNING, fence: 1, lostAttempts: 0, failedAttempts: 0 },
    });
    for (const { id } of [inAnHour, forNobody]) {
      expect(await getJob(connection, id)).toMatchObject({ state: JobState.PENDING, fence: 0 });
    }
  };

  clock.set(2);
  await expectAllAsItWas();
  const forPatient = await submit({
    requirements: { labels: { arch: 'other' }, memoryMib: 0, diskMib: 0, otherThanBotId: '' },
  });
  expect((await waiting).assignment?.lease).toMatchObject({ jobId: forPatient.id, fence: 1 });
  await expectTimePasses(2 * hourMs);
  await expectAllAsItWas();

  clock.set(-2);
  await expectTimePasses(-2 * hourMs);
  await expectAllAsItWas();

  // Who is silent loses its lease at its time, neither sooner nor hours later.
  const again = await pull();
  expect(again.assignment?.lease).toMatchObject({ jobId: forPatient.id, fence: 2 });
  const { attempts: patientOnes } = await getJob(connection, forPatient.id);
  const lost = given(patientOnes[1]);
  const heldMs = Number(lost.endedAt) - Number(lost.assignedAt);
  expect(heldMs).toBeGreaterThanOrEqual(silentForMs);
  expect(heldMs).toBeLessThan(hourMs);

  const done = await bot.done(lease, JobOutcome.COMPLETED);
  expect(done.outcome).toMatchObject({ $case: 'receipt', value: { state: JobState.COMPLETED } });
  const { attempts } = await getJob(connection, run.id);
  expect(attempts).toMatchObject([{ attempt: 1, fence: 1, end: AttemptEnd.COMPLETED }]);
});
