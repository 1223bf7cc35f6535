import { connect as connectTcp } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { unary } from '../../src/client/call.js';
import { connect } from '../../src/client/connect.js';
import { JobState } from '../../src/gen/pandafuzz/v1/job.js';
import type { Stage } from '../stage.js';
import { scripted } from './member.js';
import type { Tally } from './tally.js';

/** Jobs that wait, at most: what is read and kept must not grow by the load itself. */
const mostWaiting = 60;
const pauseMs = 50;

/** Repeats `work` until the signal aborts; what fails is counted. */
async function again(signal: AbortSignal, tally: Tally, work: () => Promise<unknown>) {
  while (!signal.aborted) {
    await work().catch(() => tally.add('failed calls'));
    await sleep(Math.random() * 2 * pauseMs, undefined, { signal }).catch(() => {});
  }
}

/** Makes jobs, and has wishes about some of them. */
export function operate(stage: Stage, tally: Tally, signal: AbortSignal): Promise<void> {
  const { jobs } = stage.connection;
  const recent: string[] = [];
  return again(signal, tally, async () => {
    const waiting = await unary(jobs, jobs.listJobs, {
      pageSize: mostWaiting,
      pageToken: '',
      state: JobState.PENDING,
    });
    if (waiting.jobs.length < mostWaiting) {
      const campaign = `campaign ${Math.floor(Math.random() * 5)}`;
      const requirements = { labels: scripted, memoryMib: 0, diskMib: 0, otherThanBotId: '' };
      const { id } = await stage.createJob({ campaign, maxAttempts: 2, requirements });
      recent.push(id);
      tally.add('jobs');
    }
    if (recent.length > 30) recent.shift();
    const jobId = recent[Math.floor(Math.random() * recent.length)] ?? '';
    const wish = [jobs.cancelJob, jobs.pauseJob, jobs.resumeJob][Math.floor(Math.random() * 8)];
    // Many of them come too late.
    if (wish) await unary(jobs, wish as typeof jobs.cancelJob, { jobId }).catch(() => {});
    await unary(jobs, jobs.explainJob, { jobId });
  });
}

/** Reads lists and figures, as people and dashboards do. */
export function read(stage: Stage, tally: Tally, signal: AbortSignal): Promise<void> {
  const { jobs, crashes, bots, system } = stage.connection;
  const page = { pageSize: 50, pageToken: '' };
  return again(signal, tally, async () => {
    await unary(jobs, jobs.listJobs, { ...page, state: 0 });
    await unary(bots, bots.listBots, page);
    await unary(system, system.getSystemStats, {});
    await unary(crashes, crashes.listCrashes, { ...page, groupId: '', jobId: '' });
    tally.add('reads');
  });
}

/** Watches changes for a while, then leaves without a word. */
export function watch(stage: Stage, tally: Tally, signal: AbortSignal): Promise<void> {
  const { jobs } = stage.connection;
  return again(signal, tally, async () => {
    const call = jobs.watchJobs({ cursor: 0, jobId: '' });
    call.on('data', () => {});
    call.on('error', () => {});
    await sleep(Math.random() * 2000, undefined, { signal }).catch(() => {});
    call.cancel();
    tally.add('watches');
  });
}

/** Comes with a connection of its own, gives calls up and goes. */
export function comeAndGo(stage: Stage, tally: Tally, signal: AbortSignal): Promise<void> {
  const { address } = stage.master;
  const [host = '', port = ''] = address.split(':');
  return again(signal, tally, async () => {
    const connection = connect(address);
    const { jobs } = connection;
    const limits = { timeoutMs: Math.random() * 20 };
    await unary(jobs, jobs.listJobs, { pageSize: 1000, pageToken: '', state: 0 }, limits).catch(
      () => tally.add('calls given up'),
    );
    connection.close();
    const silent = connectTcp(Number(port), host);
    silent.on('error', () => {});
    silent.write(Math.random() < 0.5 ? 'PRI * HTTP/2.0' : 'GET / HTTP/1.0\r\n');
    await sleep(Math.random() * 500, undefined, { signal }).catch(() => {});
    silent.destroy();
    tally.add('connections');
  });
}
