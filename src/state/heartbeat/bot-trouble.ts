import type { LeaseReject } from '../../gen/pandafuzz/v1/heartbeat.js';
import type { Assignment } from '../../gen/pandafuzz/v1/lease.js';
import type { ClaimedJob } from '../../store/rows.js';
import type { Blame, ToldEnd } from '../bots/blame.js';
import type { LiveLease } from '../leases/leases.js';
import { assignmentOf } from '../messages/assignment.js';
import { revealIn } from '../messages/job-secrets.js';
import { troubleName } from '../messages/records.js';
import type { Blamed, Reaper } from '../scheduling/reaper.js';
import { overstay } from './overstay.js';
import type { SessionParts } from './parts.js';

interface TroubleParts {
  readonly reaper: Reaper;
  readonly blame: Blame;
}

interface Offer {
  readonly job: ClaimedJob;
  readonly lease: LiveLease;
  /** The stream of the bot has ended. */
  readonly isGone: boolean;
  /** Nobody on the way can read what the bot is sent. */
  readonly isPrivate: boolean;
}

/** What the bot is to be sent; undefined: it cannot have the job, and the lease has ended. */
export function assignmentOr(
  { job, lease, isGone, isPrivate }: Offer,
  { leases, reaper, secrets }: Pick<SessionParts, 'leases' | 'reaper' | 'secrets'>,
): Assignment | undefined {
  if (isGone) {
    reaper.release(lease, 'unanswered', 'the bot left before the offer was made');
    return undefined;
  }
  const assignment = assignmentOf(job, leases.remainingMs(lease));
  const problem = revealIn(assignment, secrets, isPrivate);
  if (problem === undefined) return assignment;
  reaper.release(lease, 'rejected', problem);
  return undefined;
}

/** Ends the lease of an offer that the bot refuses: for the job's sake, or for its own. */
export function refuseOffer(live: LiveLease, reject: LeaseReject, parts: TroubleParts): void {
  const { reason, trouble, cause = '' } = reject;
  const message = `the bot refused it: ${reason || 'no reason given'}`;
  const name = troubleName(trouble);
  if (name === null) parts.reaper.release(live, 'rejected', message);
  else give(live, { outcome: 'infrastructure', trouble: name, message }, parts, { cause });
}

/**
 * Asks a run to stop that lasts too long, and ends the lease of one that does not stop.
 *
 * @returns whether the lease has ended
 */
export function isOverstay(
  live: LiveLease,
  parts: TroubleParts & Pick<SessionParts, 'leases' | 'intervals'>,
  cancel: () => void,
): boolean {
  const step = overstay(live, parts.leases.now, parts.intervals.ttlMs);
  if (step === 'stop') {
    live.stopRequested = true;
    cancel();
  }
  if (step !== 'take') return false;
  const message = 'the bot kept beating and did not stop the run';
  give(live, { outcome: 'not_stopped', trouble: null, message }, parts);
  return true;
}

type Given = ToldEnd & { readonly outcome: 'infrastructure' | 'not_stopped' };

/** Gives the job back, for other bots. */
function give(live: LiveLease, told: Given, parts: TroubleParts, more: Blamed = {}): void {
  const { reaper, blame } = parts;
  const { outcome, message, trouble } = told;
  const { stored: onDone, ...judged } = blame.judge(live, told);
  reaper.release(live, outcome, message, { ...judged, ...more, trouble, onDone });
  blame.ended(live, told);
}
