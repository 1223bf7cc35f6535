import { describe, expect } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import { newId } from '../../src/core/ids.js';
import { JobOutcome, JobSpec, type JobState } from '../../src/gen/pandafuzz/v1/job.js';
import {
  CompleteJobRequest,
  CreateJobRequest,
  ListJobsRequest,
} from '../../src/gen/pandafuzz/v1/job_service.js';
import { lockFromOutside } from '../guarantees/second-process.js';
import { runMasterFor, temporaryFolder } from '../harness.js';
import { clients, testWith } from '../languages/tools.js';
import { createJob, registerBot, uploadTarget } from '../steps.js';

const upper = (code: string) =>
  code
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .replace('CANCELED', 'CANCELLED')
    .toUpperCase();

const type = (name: string) => `type.googleapis.com/google.rpc.${name}`;

describe.each(Object.entries(clients))('a %s client', (name, { isThere, ask }) => {
  const tool = { isThere, name };

  testWith(tool, 'reads BadRequest with every bad field, ErrorInfo and RetryInfo', async () => {
    const directory = temporaryFolder();
    const settings = { PANDAFUZZ_DATABASE_MAX_RETRIES: '2' };
    const { connection, address } = await runMasterFor(settings, directory);
    const { sha256: targetSha256 } = await uploadTarget(connection);
    const bot = await registerBot(connection);
    await createJob(connection, { targetSha256 });
    const pull = { botId: bot.id, waitMs: 0, leaseTtlMs: 0 };
    const { assignment } = await unary(connection.jobs, connection.jobs.assignJob, pull);
    const { jobId = '' } = assignment?.lease ?? {};
    const stale = { jobId, attempt: 1, fence: 99 };
    const result = { outcome: JobOutcome.COMPLETED, message: '', statistics: undefined };
    const spec = JobSpec.create({ engine: 'libfuzzer', targetSha256 });

    const badPage = ListJobsRequest.encode({
      pageSize: 5000,
      pageToken: '!',
      state: 77 as JobState,
    });
    const completion = CompleteJobRequest.encode({ lease: stale, result });
    const [bad, refused] = await ask(address, [
      ['/pandafuzz.v1.JobService/ListJobs', badPage.finish()],
      ['/pandafuzz.v1.JobService/CompleteJob', completion.finish()],
    ]);
    expect(upper(bad?.code ?? '')).toBe('INVALID_ARGUMENT');
    const badRequest = bad?.details.find((detail) => detail['@type'] === type('BadRequest'));
    const violations = badRequest?.['fieldViolations'] as { field: string; description: string }[];
    expect(violations.map(({ field }) => field)).toEqual(['state', 'page_size', 'page_token']);
    expect(violations[1]?.description).toBe('must be a whole number from 0 to 1000');

    expect(upper(refused?.code ?? '')).toBe('FAILED_PRECONDITION');
    expect(refused?.details).toContainEqual({
      '@type': type('ErrorInfo'),
      reason: 'STALE_LEASE',
      domain: 'pandafuzz',
    });
    expect(refused?.details).toContainEqual({
      '@type': type('RequestInfo'),
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });

    await lockFromOutside(directory);
    const creation = CreateJobRequest.encode({ spec, requestId: newId() });
    const [locked] = await ask(address, [
      ['/pandafuzz.v1.JobService/CreateJob', creation.finish()],
    ]);
    expect(upper(locked?.code ?? '')).toBe('UNAVAILABLE');
    expect(locked?.details).toContainEqual({ '@type': type('RetryInfo'), retryDelay: '1s' });
    expect(locked?.details).toContainEqual({
      '@type': type('ErrorInfo'),
      reason: 'RETRIES_EXHAUSTED',
      domain: 'pandafuzz',
      metadata: { operation: 'create_job', attempts: '3' },
    });
  });
});
