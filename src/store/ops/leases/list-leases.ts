import { pageOperation } from '../../operation.js';
import type { LeaseRow } from '../../rows.js';
import { flag, stopRequested } from '../../sql.js';
import { all, statement } from '../../statement.js';

interface Page {
  afterJobId: string;
  limit: number;
}

const select = statement<Page, LeaseRow>(`
  SELECT job_id, leases.attempt, leases.fence, leases.bot_id, campaign, ttl_ms, pulled,
    timed_out_at, queue_id, target_sha256, project, target_name, engine, fuzz_within_ms, spent_ms, acknowledged_at, ${flag(stopRequested)} AS stop_requested
  FROM leases JOIN jobs ON jobs.id = job_id
  WHERE job_id > @afterJobId ORDER BY job_id LIMIT @limit`);

/** The valid leases after `afterJobId`, by job id. */
export const listLeases = pageOperation('list_leases', (page: Page) => all(select, page));
