import { JobState } from '../../../src/gen/pandafuzz/v1/job.js';
import { done } from '../history/operation.js';
import { type Evidence, isInGap, type Violation } from './evidence.js';

/** Every acknowledged write is there, as it was acknowledged. */
export function lostWrites({ operations, database, gap }: Evidence): Violation[] {
  const lost: Violation[] = [];
  const row = (sql: string, ...values: (string | number)[]) =>
    database.prepare<(string | number)[], Record<string, unknown>>(sql).get(...values);
  const expect = (isThere: boolean, what: string) => {
    if (!isThere) lost.push({ rule: 'kept', what });
  };
  const mustBeThere = operations.filter((each) => !isInGap(each, gap));

  for (const { request } of done(mustBeThere, 'upload')) {
    const found = row('SELECT 1 FROM artifacts WHERE sha256 = ?', request.sha256);
    expect(found !== undefined, `artifact ${request.sha256}`);
  }
  for (const { request, answer } of done(mustBeThere, 'create')) {
    const found = row('SELECT request_id FROM jobs WHERE id = ?', answer.jobId);
    expect(found?.['request_id'] === request.requestId, `job ${answer.jobId}`);
  }
  for (const { request, answer } of done(mustBeThere, 'done')) {
    const { jobId, fence } = request.lease;
    const found = row('SELECT outcome FROM attempts WHERE job_id = ? AND fence = ?', jobId, fence);
    expect(found?.['outcome'] === request.outcome, `${request.outcome} of ${jobId}/${fence}`);
    if (answer.state === JobState.COMPLETED) {
      const job = row('SELECT state FROM jobs WHERE id = ?', jobId);
      expect(job?.['state'] === 'completed', `the end of job ${jobId}, found ${job?.['state']}`);
    }
  }
  for (const { request } of done(mustBeThere, 'cancel')) {
    const sql = 'SELECT state, cancel_requested_at AS at FROM jobs WHERE id = ?';
    const job = row(sql, request.jobId);
    const isKept = job?.['state'] === 'cancelled' || typeof job?.['at'] === 'number';
    expect(isKept, `the cancel of ${request.jobId}`);
  }
  for (const { request, answer } of done(mustBeThere, 'crash')) {
    const found = row('SELECT input_sha256 FROM crashes WHERE id = ?', answer.crashId);
    expect(found?.['input_sha256'] === request.sha256, `crash ${answer.crashId}`);
  }
  for (const { request } of done(mustBeThere, 'push')) {
    for (const sha256 of request.sha256s) {
      const found = row('SELECT 1 FROM corpus_entries WHERE sha256 = ? LIMIT 1', sha256);
      expect(found !== undefined, `corpus input ${sha256}`);
    }
  }
  return lost;
}
