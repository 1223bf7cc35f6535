import { acknowledgeLeases } from './acknowledge-lease.js';
import { claimJobs } from './claim-job.js';
import { completeJobs } from './complete-job.js';
import { createJobs } from './create-job.js';
import type { OperationSet } from './set.js';

/** Of what happens with every job, by the names of the operations. */
export const sets: ReadonlyMap<string, OperationSet> = new Map(
  [acknowledgeLeases, claimJobs, completeJobs, createJobs].map((set) => [
    set.name,
    set as OperationSet,
  ]),
);
