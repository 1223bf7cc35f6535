import { expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import { formatAddress } from '../../src/config/quantities.js';
import { runMasterFor } from '../harness.js';
import { createJob, registerBot } from '../steps.js';

/** By the original plan's names, and ours beside them; the type of each as Prometheus has it. */
const instruments = {
  database_operation_duration_seconds: 'histogram',
  database_retry_count: 'counter',
  database_timeout_count: 'counter',
  api_request_duration_seconds: 'histogram',
  api_in_flight: 'gauge',
  api_unsent_bytes: 'gauge',
  api_messages_total: 'counter',
  api_deadline_exceeded_total: 'counter',
  concurrent_readers_gauge: 'gauge',
  database_lock_wait_seconds: 'histogram',
  database_transaction_duration_seconds: 'histogram',
  database_group_size: 'histogram',
  database_queue_depth: 'gauge',
  database_wal_bytes: 'gauge',
  database_checkpoint_duration_seconds: 'histogram',
  nodejs_eventloop_lag_p99_seconds: 'gauge',
  failed_starts_total: 'counter',
  log_lines_lost_total: 'counter',
  bots_held_back: 'gauge',
  bots_unwell: 'gauge',
  blob_bytes: 'gauge',
  blob_dead_bytes: 'gauge',
  blobs_swept_bytes_total: 'counter',
  blobs_lost_total: 'counter',
  blob_request_failures_total: 'counter',
  corpus_inputs_refused_total: 'counter',
  pandafuzz_quota_refusals_total: 'counter',
  pandafuzz_audit_entries_total: 'counter',
  pandafuzz_executions_total: 'counter',
  pandafuzz_fuzzing_seconds_total: 'counter',
  pandafuzz_crash_hits_total: 'counter',
  pandafuzz_crash_groups_found_total: 'counter',
  pandafuzz_executions_per_second: 'gauge',
  pandafuzz_runs: 'gauge',
  pandafuzz_coverage: 'gauge',
  pandafuzz_features: 'gauge',
  pandafuzz_campaign_jobs: 'gauge',
  pandafuzz_corpus_inputs: 'gauge',
  pandafuzz_corpus_bytes: 'gauge',
  pandafuzz_jobs: 'gauge',
  pandafuzz_bots: 'gauge',
  pandafuzz_build_info: 'gauge',
  pandafuzz_blob_store: 'gauge',
  pandafuzz_ready: 'gauge',
  pandafuzz_disk_free_bytes: 'gauge',
  pandafuzz_disk_least_free_bytes: 'gauge',
};

test('/metrics has every instrument, and of what does not run no label with a value of a caller', async () => {
  const { connection, master } = await runMasterFor();
  const bot = await registerBot(connection, 'a-bot-by-name');
  const job = await createJob(connection, { name: 'a-job-by-name' });
  await unary(connection.jobs, connection.jobs.getJob, { jobId: job.id });
  const response = await fetch(`http://${formatAddress(master.http)}/metrics`);
  const text = await response.text();
  for (const [name, type] of Object.entries(instruments)) {
    expect(text).toContain(`# TYPE ${name} ${type}\n`);
  }
  expect(text).toMatch(
    /database_operation_duration_seconds_count\{operation="create_job",outcome="ok"\} 1/,
  );
  expect(text).toMatch(
    /api_request_duration_seconds_count\{endpoint="[^"]*CreateJob",code="OK"\} 1/,
  );
  const getJob = 'endpoint="/pandafuzz.v1.JobService/GetJob"';
  expect(text).toContain(`api_messages_total{${getJob},direction="in"} 1\n`);
  expect(text).toContain(`api_messages_total{${getJob},direction="out"} 1\n`);
  for (const value of [bot.id, bot.name, job.id, 'a-job-by-name', job.spec?.targetSha256 ?? '?']) {
    expect(text).not.toContain(value);
  }
});
