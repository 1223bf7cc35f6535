import { status as Code } from '@grpc/grpc-js';
import { describe, expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import { connect } from '../../src/client/connect.js';
import { JobSpec, JobState } from '../../src/gen/pandafuzz/v1/job.js';
import { ListJobsRequest } from '../../src/gen/pandafuzz/v1/job_service.js';
import { atEnd, runMasterFor, type TestMaster } from '../harness.js';
import { eventually, metric, registerBot, uploadTarget } from '../steps.js';
import { type RawCall, RawClient } from '../wire/raw-client.js';

const listJobs = '/pandafuzz.v1.JobService/ListJobs';
const request = ListJobsRequest.encode({
  pageSize: 1000,
  pageToken: '',
  state: JobState.UNSPECIFIED,
}).finish();

/** A master whose list of jobs is about this long. */
async function withJobs(settings: Record<string, string>, count: number): Promise<TestMaster> {
  const started = await runMasterFor(settings);
  const { jobs } = started.connection;
  const { sha256: targetSha256 } = await uploadTarget(started.connection);
  const spec = JobSpec.create({
    engine: 'libfuzzer',
    targetSha256,
    arguments: [`-x=${'x'.repeat(990)}`],
  });
  const create = () => unary(jobs, jobs.createJob, { spec, requestId: '' });
  await Promise.all(Array.from({ length: count }, create));
  return started;
}

/** Calls whose peer lets nothing of an answer come. */
function unread(address: string, count: number): RawCall[] {
  const client = new RawClient(address, { initialWindowSize: 0 });
  return Array.from({ length: count }, () => {
    const call = client.open(listJobs);
    call.send(request);
    call.end();
    return call;
  });
}

describe('an answer that its peer does not read', () => {
  test('is dropped after timeouts.stalled_stream', async () => {
    const { address, master } = await withJobs({ PANDAFUZZ_TIMEOUTS_STALLED_STREAM: '1s' }, 20);
    const [call] = unread(address, 1);
    await eventually(async () => (await metric(master, 'api_unsent_bytes')) > 20_000 || undefined);
    expect(await call?.answer).toMatchObject({ code: -1, messages: [] });
    await eventually(async () => (await metric(master, 'api_unsent_bytes')) === 0 || undefined);
  });

  test('counts towards limits.max_unsent, beyond which the oldest go, and others are served', async () => {
    const { address, master } = await withJobs({ PANDAFUZZ_LIMITS_MAX_UNSENT: '8MiB' }, 300);
    const calls = unread(address, 60);
    await Promise.race(calls.map(({ answer }) => answer));
    const other = connect(address);
    atEnd(() => other.close());
    expect((await registerBot(other)).id).not.toBe('');
    await eventually(
      async () => (await metric(master, 'api_in_flight{pool="calls"}')) === 0 || undefined,
    );
    // Streams that are being ended count until they have closed.
    const most = 8 * 2 ** 20;
    await eventually(async () => (await metric(master, 'api_unsent_bytes')) <= most || undefined);
  });
});

test('a heartbeat stream without Hello is ended after timeouts.request', async () => {
  const { address } = await runMasterFor({ PANDAFUZZ_TIMEOUTS_REQUEST: '200ms' });
  const call = new RawClient(address).open('/pandafuzz.v1.BotService/Heartbeat');
  expect(Code[(await call.answer).code]).toBe('DEADLINE_EXCEEDED');
});
