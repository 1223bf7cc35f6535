import { pageOperation } from '../../operation.js';
import type { LeaseRow } from '../../rows.js';
import { leaseRows, ofMaster } from '../../sql.js';
import { all, statement } from '../../statement.js';

interface Page {
  afterJobId: string;
  limit: number;
  /** Of a cluster's: those that it watches; absent: all. */
  master?: number | undefined;
}

const select = statement<Omit<Page, 'master'> & { master: number | null }, LeaseRow>(`${leaseRows}
  WHERE job_id > @afterJobId ${ofMaster} ORDER BY job_id LIMIT @limit`);

/** The valid leases after `afterJobId`, by job id. */
export const listLeases = pageOperation('list_leases', (page: Page) =>
  all(select, { ...page, master: page.master ?? null }),
);
