import type { LeaseStatus, RenewedLease } from '../../gen/pandafuzz/v1/heartbeat.js';
import type { Lease } from '../../gen/pandafuzz/v1/lease.js';
import type { LiveLease } from '../leases/leases.js';
import { boundedStatistics } from '../messages/checks.js';
import { isOverstay } from './bot-trouble.js';
import type { SessionParts } from './parts.js';

/** Takes over what a beat says of a live lease, and answers it. */
export function renewed(
  live: LiveLease,
  { lease, phase, statistics }: LeaseStatus & { readonly lease: Lease },
  parts: SessionParts,
  cancel: () => void,
): RenewedLease {
  const { leases } = parts;
  leases.report(live, phase, statistics && boundedStatistics(statistics));
  if (isOverstay(live, parts, cancel)) return notValid(lease);
  const remainingTtlMs = leases.remainingMs(live);
  return { lease, remainingTtlMs, cancelRequested: live.stopRequested };
}

/** The answer to a beat with a lease that has ended. */
export const notValid = (lease: Lease): RenewedLease => ({
  lease,
  remainingTtlMs: 0,
  cancelRequested: false,
});
