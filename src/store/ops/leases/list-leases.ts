import { pageOperation } from '../../operation.js';
import type { LeaseRow } from '../../rows.js';
import { stopRequested } from '../../sql.js';

/** The leases that are valid now, by job id, those after `afterJobId`. */
export const listLeases = pageOperation('list_leases', (db) => {
  const select = db.prepare<[string, number], LeaseRow>(`
    SELECT job_id, leases.attempt, leases.fence, leases.bot_id, campaign, ttl_ms, pulled,
      acknowledged_at, ${stopRequested} AS stop_requested
    FROM leases JOIN jobs ON jobs.id = job_id
    WHERE job_id > ? ORDER BY job_id LIMIT ?`);
  return (page: { afterJobId: string; limit: number }): LeaseRow[] =>
    select.all(page.afterJobId, page.limit);
});
