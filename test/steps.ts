import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Master } from '../src/app.js';
import { unary } from '../src/client/call.js';
import type { Connection } from '../src/client/connect.js';
import { uploadArtifact } from '../src/client/transfer.js';
import { formatAddress } from '../src/config/quantities.js';
import { ArtifactKind } from '../src/gen/pandafuzz/v1/artifact.js';
import type { RegisterBotRequest } from '../src/gen/pandafuzz/v1/bot_service.js';
import { type Job, JobSpec, JobState } from '../src/gen/pandafuzz/v1/job.js';
import type { Lease } from '../src/gen/pandafuzz/v1/lease.js';
import { temporaryFolder } from './endings.js';
import { pause } from './pause.js';

/** What many tests begin with, by way of the contract. */

export async function registerBot(
  connection: Connection,
  name = 'bot',
  offer: Partial<RegisterBotRequest> = {},
) {
  const request = {
    name,
    engines: ['libfuzzer'],
    slots: 1,
    labels: { arch: 'any' },
    version: '1',
    memoryMib: 0,
    diskMib: 0,
    engineDetails: [],
    ...offer,
  };
  const { bot } = await unary(connection.bots, connection.bots.registerBot, request);
  return given(bot);
}

export async function uploadTarget(connection: Connection, bytes = randomBytes(700_000)) {
  const path = join(temporaryFolder(), 'target');
  writeFileSync(path, bytes);
  const file = { path, kind: ArtifactKind.TARGET, name: 'target' };
  const { artifact } = await uploadArtifact(connection, file);
  return given(artifact);
}

export async function createJob(connection: Connection, spec: Partial<JobSpec> = {}) {
  const targetSha256 = spec.targetSha256 ?? (await uploadTarget(connection)).sha256;
  const request = {
    spec: JobSpec.create({ engine: 'libfuzzer', ...spec, targetSha256 }),
    requestId: '',
  };
  const { job } = await unary(connection.jobs, connection.jobs.createJob, request);
  return given(job);
}

/** Makes jobs as fast as eight callers can, until each of them is refused. */
export function createJobs(connection: Connection, targetSha256: string) {
  const acknowledged: string[] = [];
  const callers = Array.from({ length: 8 }, async () => {
    for (;;) acknowledged.push((await createJob(connection, { targetSha256 })).id);
  });
  return { acknowledged, stopped: Promise.allSettled(callers) };
}

/** The lease of the job that goes next, for a bot that pulls it. */
export async function pulledLease(connection: Connection, botName = 'bot'): Promise<Lease> {
  const bot = await registerBot(connection, botName);
  const wish = { botId: bot.id, waitMs: 10_000, leaseTtlMs: 0 };
  const { assignment } = await unary(connection.jobs, connection.jobs.assignJob, wish);
  return given(given(assignment).lease);
}

/** The job as soon as it is in this state; fails as soon as it has ended in another. */
export function jobIn({ jobs }: Connection, jobId: string, state: JobState): Promise<Job> {
  return eventually(async () => {
    const job = given((await unary(jobs, jobs.getJob, { jobId })).job);
    if (job.state === state) return job;
    if (!job.finishedAt) return undefined;
    throw new Error(`the job is ${JobState[job.state]}: ${job.result?.message ?? ''}`);
  });
}

/** Between two questions, at most, milliseconds. */
const longestPauseMs = 50;

/**
 * Asks again until there is an answer. Questions become rarer, to leave the machine to what is
 * waited for.
 */
export async function eventually<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (let pauseMs = 0; ; pauseMs = Math.min(pauseMs + 1, longestPauseMs)) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await pause(pauseMs);
  }
}

/** The part of an answer that must be there. */
export function given<T>(part: T | undefined): T {
  if (part === undefined) throw new Error('the answer lacks what it is for');
  return part;
}

/** The value of one line of /metrics, as Prometheus would read it: `name` or `name{label="x"}`. */
export async function metric(master: Master, name: string): Promise<number> {
  const response = await fetch(`http://${formatAddress(master.http)}/metrics`);
  const lines = (await response.text()).split('\n');
  return Number(given(lines.find((line) => line.startsWith(`${name} `))).slice(name.length));
}
