import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { newId } from '../../src/core/ids.js';
import { BotServiceService } from '../../src/gen/pandafuzz/v1/bot_service.js';
import {
  CrashServiceService,
  type ReportCrashRequest,
  type ReportCrashResponse,
} from '../../src/gen/pandafuzz/v1/crash_service.js';
import type { HeartbeatRequest, HeartbeatResponse } from '../../src/gen/pandafuzz/v1/heartbeat.js';
import { Job } from '../../src/gen/pandafuzz/v1/job.js';
import {
  type CreateJobRequest,
  type CreateJobResponse,
  type GetJobResponse,
  JobServiceService,
} from '../../src/gen/pandafuzz/v1/job_service.js';
import { beAsked } from '../asked.js';
import { answerTo } from './answer.js';

/**
 * The limit: grpc-js and the same messages, with nothing behind them. The master's
 * distance from it is the price of what the master promises.
 */

/** Answer to every call: a job as a master sent it. */
const job = Job.fromJSON(JSON.parse(process.env['ECHO_JOB'] ?? '{}'));
/** Receives uploads. */
const folder = process.env['ECHO_FOLDER'] ?? '.';

function getJob(_: unknown, answer: sendUnaryData<GetJobResponse>): void {
  answer(null, { job, attempts: [] });
}

function createJob(
  { request }: ServerUnaryCall<CreateJobRequest, CreateJobResponse>,
  answer: sendUnaryData<CreateJobResponse>,
): void {
  answer(null, { job: { ...job, id: newId(), spec: request.spec } });
}

function heartbeat(call: ServerDuplexStream<HeartbeatRequest, HeartbeatResponse>): void {
  call.on('data', (request: HeartbeatRequest) => {
    for (const message of answerTo(request, job)) call.write({ message });
  });
  call.on('end', () => call.end());
}

/** Answers once the input is checked and on the disk, as the master does. */
async function reportCrash(
  call: ServerReadableStream<ReportCrashRequest, ReportCrashResponse>,
  answer: sendUnaryData<ReportCrashResponse>,
): Promise<void> {
  const crashId = newId();
  const hash = createHash('sha256');
  const file = await open(join(folder, crashId), 'wx');
  for await (const { message } of call as AsyncIterable<ReportCrashRequest>) {
    if (message?.$case !== 'chunk') continue;
    hash.update(message.value);
    await file.write(message.value);
  }
  await file.sync();
  await file.close();
  const groupId = hash.digest('hex');
  answer(null, { crashId, groupId, newGroup: true, duplicate: false, late: false });
}

const server = new Server();
server.addService(JobServiceService, { getJob, createJob });
server.addService(BotServiceService, { heartbeat });
server.addService(CrashServiceService, { reportCrash });
const listen = promisify(server.bindAsync.bind(server));
const port = await listen('127.0.0.1:0', ServerCredentials.createInsecure());

beAsked(`127.0.0.1:${port}`, async () => server.forceShutdown());
