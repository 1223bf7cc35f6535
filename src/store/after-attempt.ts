import type { AttemptOutcome, JobRow } from './rows.js';
import { earliest, later } from './times.js';

/** Pause of a job after a failure: doubled with each failure, up to a longest one; milliseconds. */
export interface RetryPause {
  readonly retryFirstMs: number;
  readonly retryMaxMs: number;
}

/** The columns of a job that decide where it goes when its attempt ends. */
export type JobOfAttempt = Pick<
  JobRow,
  | ('queue_id' | 'max_attempts' | 'failed_attempts' | 'refused_attempts' | 'lost_attempts')
  | ('cancel_requested_at' | 'pause_requested_at' | 'timed_out_at')
> & { start_by: number | null; start_within_ms: number | null; close_by: number | null };

export const columnsOfAttempt = `queue_id, max_attempts, failed_attempts, refused_attempts,
  lost_attempts, cancel_requested_at, pause_requested_at, timed_out_at, start_by,
  start_within_ms, close_by`;

export interface Ending extends RetryPause {
  readonly outcome: AttemptOutcome;
  /** For people. */
  readonly message: string;
  /** Of a loss: the bot was still preparing the run. What it unpacks may be what ended it. */
  readonly whilePreparing?: boolean;
  readonly now: number;
}

/** The columns of the job that change as its attempt ends. */
export type JobAfterAttempt = Pick<
  JobRow,
  | ('state' | 'failed_attempts' | 'refused_attempts' | 'lost_attempts' | 'finished_at')
  | ('delayed' | 'ready_at' | 'outcome' | 'message')
> & { start_by: number | null; due_at: number | null };

/**
 * Where a job goes when an attempt of it has ended, and when: see the head of
 * `state/leases/leases.ts`. Completed is final. An outcome that uses up an attempt leads
 * back to pending after a pause, until no attempt is left (dead); any other outcome leads
 * there at once. A bot that is lost while it prepares a run uses up an attempt too: a job that
 * brings down each bot must end. Instead of going back to pending, a job is cancelled or paused if an
 * operator asked for that, and dead if its time is over.
 */
export function afterAttempt(job: JobOfAttempt, ending: Ending): JobAfterAttempt {
  const { now } = ending;
  const counted = countedAs(job, ending);
  const usesUp = counted === 'failed' || counted === 'refused';
  const used = job.failed_attempts + job.refused_attempts;
  const isOver = (job.close_by ?? now + 1) <= now || (usesUp && used + 1 >= job.max_attempts);
  const state = stateAfter(job, ending.outcome, isOver);
  const readyAt = usesUp ? readyAfter(used, ending) : null;
  const startBy = startOf(job, ending.outcome, readyAt ?? now);
  // The run took too long: that counts, whatever its bot reports about the stop.
  const isOvertime =
    counted === 'failed' && ending.outcome !== 'timed_out' && job.timed_out_at !== null;
  return {
    state,
    failed_attempts: job.failed_attempts + (counted === 'failed' ? 1 : 0),
    refused_attempts: job.refused_attempts + (counted === 'refused' ? 1 : 0),
    lost_attempts: job.lost_attempts + (counted === 'lost' ? 1 : 0),
    finished_at: state === 'pending' || state === 'paused' ? null : now,
    delayed: state === 'pending' && readyAt !== null ? 1 : 0,
    ready_at: readyAt,
    start_by: startBy,
    due_at: dueIn(state, startBy, job.close_by),
    outcome: isOvertime ? 'timed_out' : ending.outcome,
    message: isOvertime ? 'the run took longer than its timeouts allow' : ending.message,
  };
}

/** The counter that the end of an attempt adds to; undefined: it did its work, or never began. */
function countedAs(
  job: JobOfAttempt,
  { outcome, whilePreparing }: Pick<Ending, 'outcome' | 'whilePreparing'>,
): 'failed' | 'refused' | 'lost' | undefined {
  if (outcome === 'completed' || outcome === 'unanswered') return undefined;
  if (outcome === 'rejected') return 'refused';
  if (outcome === 'lost') return whilePreparing ? 'failed' : 'lost';
  if (outcome === 'failed' || outcome === 'timed_out' || job.timed_out_at !== null) return 'failed';
  // The bot stopped the run without a request, or because of trouble of its own.
  return job.cancel_requested_at === null && job.pause_requested_at === null ? 'lost' : undefined;
}

function stateAfter(
  job: JobOfAttempt,
  outcome: AttemptOutcome,
  isOver: boolean,
): JobAfterAttempt['state'] {
  if (outcome === 'completed') return 'completed';
  if (job.cancel_requested_at !== null) return 'cancelled';
  if (isOver) return 'dead';
  return job.pause_requested_at === null ? 'pending' : 'paused';
}

/** When a job that has used up `used` attempts before this one may run again; null: at once. */
function readyAfter(used: number, { now, retryFirstMs, retryMaxMs }: Ending): number | null {
  if (retryFirstMs === 0) return null;
  return now + Math.min(retryFirstMs * 2 ** used, retryMaxMs);
}

/** The time of the job that falls due next in that state. */
function dueIn(state: JobAfterAttempt['state'], startBy: number | null, closeBy: number | null) {
  if (state === 'paused') return closeBy;
  if (state !== 'pending') return null;
  return earliest(startBy, closeBy);
}

/** Latest time for the next start. An offer without a start leaves it as it is. */
function startOf(job: JobOfAttempt, outcome: AttemptOutcome, readyAt: number): number | null {
  if (outcome === 'rejected' || outcome === 'unanswered') return job.start_by;
  return later(readyAt, job.start_within_ms);
}
