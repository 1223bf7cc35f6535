import { readOperation } from '../../operation.js';
import { ofMaster, textsOf } from '../../sql.js';
import { all, statement } from '../../statement.js';

interface HeldLease {
  job_id: string;
  fence: number;
}

const select = statement<{ jobIds: string; master: number }, HeldLease>(`
  SELECT job_id, fence FROM leases
  WHERE job_id IN (SELECT value FROM ${textsOf('@jobIds')} AS wanted) ${ofMaster}`);

/** The leases of these jobs that a master watches. */
export const heldLeases = readOperation(
  'held_leases',
  ({ jobIds, master }: { jobIds: readonly string[]; master: number }) =>
    all(select, { jobIds: JSON.stringify(jobIds), master }),
);
