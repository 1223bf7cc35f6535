import { LeasePhase } from '../../gen/pandafuzz/v1/heartbeat.js';
import type { LiveLease } from '../leases/leases.js';

/** Over its limit a run may fuzz for so many TTLs: an engine ends late, and is cleared away. */
const overtimeTtls = 2;
/** The same as a part of the limit, for long runs. */
const overtimeShare = 0.1;
/** A run that has stopped may send for so many TTLs what it found. */
const finishingTtls = 10;

/**
 * What becomes of a run whose bot beats: a bot is not to keep a job for ever. One that fuzzes
 * beyond its job's limit is asked to stop; one that was asked to stop, for whatever reason,
 * and has not within a TTL, loses its lease. What it finds after that is kept as late.
 *
 * @param now on the lease clock
 */
export function overstay(
  lease: LiveLease,
  now: number,
  ttlMs: number,
): 'stop' | 'take' | undefined {
  const { fuzzingLeftMs, fuzzingSince, stoppingSince, stopRequested, phase } = lease;
  if (lease.isTimedOut) return undefined;
  if (stoppingSince !== undefined) {
    const graceMs = phase === LeasePhase.FINISHING ? finishingTtls * ttlMs : ttlMs;
    return now - stoppingSince > graceMs ? 'take' : undefined;
  }
  if (stopRequested || fuzzingLeftMs === undefined || fuzzingSince === undefined) return undefined;
  if (phase !== LeasePhase.FUZZING) return undefined;
  const overtimeMs = Math.max(overtimeTtls * ttlMs, overtimeShare * fuzzingLeftMs);
  return now - fuzzingSince > fuzzingLeftMs + overtimeMs ? 'stop' : undefined;
}
