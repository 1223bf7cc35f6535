import { fileURLToPath } from 'node:url';
import { unary } from '../../src/client/call.js';
import type { Connection } from '../../src/client/connect.js';
import { uploadArtifact } from '../../src/client/transfer.js';
import { ArtifactKind } from '../../src/gen/pandafuzz/v1/artifact.js';
import { RegisterBotRequest } from '../../src/gen/pandafuzz/v1/bot_service.js';
import { Job, JobSpec } from '../../src/gen/pandafuzz/v1/job.js';
import { eachInFlight } from '../measure.js';

/** What a master needs before there is anything to measure: a target, jobs, bots. */

export const engine = 'libfuzzer';
const inFlight = 64;

/** A spec as operators give it; whatever file there is will do as its target. */
export async function uploadTarget(connection: Connection): Promise<JobSpec> {
  const file = { path: fileURLToPath(import.meta.url), kind: ArtifactKind.TARGET, name: 'bench' };
  const { artifact } = await uploadArtifact(connection, file);
  const options = ['-rss_limit_mb=2048', '-max_len=4096'];
  return JobSpec.create({ engine, targetSha256: artifact?.sha256 ?? '', arguments: options });
}

export async function createJob({ jobs }: Connection, spec: JobSpec): Promise<Job> {
  const { job } = await unary(jobs, jobs.createJob, { spec, requestId: '' });
  return job ?? Job.create();
}

export async function createJobs(
  connection: Connection,
  spec: JobSpec,
  count: number,
): Promise<void> {
  await eachInFlight(Array.from({ length: count }), inFlight, () => createJob(connection, spec));
}

/** @returns their ids */
export async function registerBots(
  { bots }: Connection,
  count: number,
  slots: number,
): Promise<readonly string[]> {
  const requests = Array.from({ length: count }, (_, index) =>
    RegisterBotRequest.create({ name: `bot-${index}`, engines: [engine], slots, version: '1' }),
  );
  const { outputs } = await eachInFlight(requests, inFlight, async (request) => {
    const { bot } = await unary(bots, bots.registerBot, request);
    return bot?.id ?? '';
  });
  return outputs;
}
