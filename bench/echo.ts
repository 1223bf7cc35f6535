import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { newId } from '../src/core/ids.js';
import { type BotServiceServer, BotServiceService } from '../src/gen/pandafuzz/v1/bot_service.js';
import {
  type CrashServiceServer,
  CrashServiceService,
  type ReportCrashRequest,
} from '../src/gen/pandafuzz/v1/crash_service.js';
import type { HeartbeatRequest, HeartbeatResponse } from '../src/gen/pandafuzz/v1/heartbeat.js';
import { Job, JobState } from '../src/gen/pandafuzz/v1/job.js';
import { type JobServiceServer, JobServiceService } from '../src/gen/pandafuzz/v1/job_service.js';
import { beAsked } from './asked.js';

/**
 * The limit: grpc-js and the same messages, with nothing behind them. The master's
 * distance from it is the price of what the master promises.
 */

/** Answer to every call: a job as a master sent it. */
const job = Job.fromJSON(JSON.parse(process.env['ECHO_JOB'] ?? '{}'));
const folder = process.env['ECHO_FOLDER'] ?? '.';

type Answer = NonNullable<HeartbeatResponse['message']>;

const ttlMs = 30_000;
const heartbeatIntervalMs = 5000;

/**
 * Answers as a master does, with as many bytes and no state. Every slot that Hello
 * announces gets a job, and the next one once that is done: jobs without end.
 */
function answerTo({ message }: HeartbeatRequest): Answer[] {
  switch (message?.$case) {
    case 'hello': {
      const value = { heartbeatIntervalMs, leaseTtlMs: ttlMs, leases: [] };
      return [{ $case: 'welcome', value }, ...offers(message.value.freeSlots)];
    }
    case 'beat': {
      const { sequence, leases } = message.value;
      const renew = { remainingTtlMs: ttlMs, cancelRequested: false };
      const renewed = leases.map(({ lease }) => ({ lease, ...renew }));
      const value = { sequence, leases: renewed, nextBeatInMs: heartbeatIntervalMs };
      return [{ $case: 'beatAck', value }];
    }
    case 'jobDone': {
      const { lease } = message.value;
      const { jobId = '', attempt = 0, fence = 0 } = lease ?? {};
      const state = JobState.COMPLETED;
      const value = { jobId, attempt, fence, recordedAt: new Date(), state };
      const done = { lease, outcome: { $case: 'receipt' as const, value } };
      return [{ $case: 'jobDoneAck', value: done }, ...offers(1)];
    }
    default:
      return [];
  }
}

const offers = (count: number): Answer[] =>
  Array.from({ length: count }, () => {
    const lease = { jobId: newId(), attempt: 1, fence: 1 };
    const assignment = { lease, spec: job.spec, ttlMs, secrets: {} };
    return { $case: 'assign', value: { assignment } };
  });

const jobs: Pick<JobServiceServer, 'getJob' | 'createJob'> = {
  getJob: (_, answer) => answer(null, { job, attempts: [] }),
  createJob: ({ request: { spec } }, answer) =>
    answer(null, { job: { ...job, id: newId(), spec } }),
};

const bots: Pick<BotServiceServer, 'heartbeat'> = {
  heartbeat(call) {
    call.on('data', (request: HeartbeatRequest) => {
      for (const message of answerTo(request)) call.write({ message });
    });
    call.on('end', () => call.end());
  },
};

const crashes: Pick<CrashServiceServer, 'reportCrash'> = {
  /** Answers once the input is checked and on the disk, as the master does. */
  async reportCrash(call, answer) {
    const crashId = newId();
    const hash = createHash('sha256');
    const file = await open(`${folder}/${crashId}`, 'wx');
    for await (const { message } of call as AsyncIterable<ReportCrashRequest>) {
      if (message?.$case !== 'chunk') continue;
      hash.update(message.value);
      await file.write(message.value);
    }
    await file.sync();
    await file.close();
    const groupId = hash.digest('hex');
    answer(null, { crashId, groupId, newGroup: true, duplicate: false, late: false });
  },
};

const server = new Server();
server.addService(JobServiceService, jobs);
server.addService(BotServiceService, bots);
server.addService(CrashServiceService, crashes);
const listen = promisify(server.bindAsync.bind(server));
const port = await listen('127.0.0.1:0', ServerCredentials.createInsecure());
beAsked(`127.0.0.1:${port}`, async () => server.forceShutdown());
