import { NotFoundError } from '../../../core/errors.js';
import { writeOperation } from '../../operation.js';
import { one, type Steps, statement } from '../../statement.js';
import { lockJob } from '../jobs/lock-job.js';
import { type LeaseName, sourceOf } from './find-source.js';
import { raiseHits } from './raise-hits.js';

const crash = statement<{ crashId: string; jobId: string }, { group_id: string }>(
  'SELECT group_id FROM crashes WHERE id = @crashId AND job_id = @jobId',
);

/**
 * Records how often an attempt has met crashes of its job, as totals.
 *
 * @throws NotFoundError for an attempt or a crash that never was; nothing is counted then
 */
export const reportHits = writeOperation(
  'report_crash_hits',
  'beats',
  function* (input: {
    lease: LeaseName;
    hits: readonly { crashId: string; hits: number }[];
    now: number;
  }): Steps<void> {
    const { lease, now } = input;
    const { jobId, fence } = lease;
    yield* lockJob(jobId);
    const source = yield* sourceOf(lease);
    for (const { crashId, hits } of input.hits) {
      const row = yield* one(crash, { crashId, jobId });
      if (!row) throw new NotFoundError({ resource: 'crash of this job', id: crashId });
      yield* raiseHits({ crashId, groupId: row.group_id, jobId, fence, hits, source, now });
    }
  },
);
