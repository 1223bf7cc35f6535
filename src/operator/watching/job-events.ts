import { type Crash, Crash as CrashForm } from '../../gen/pandafuzz/v1/crash.js';
import { Job, JobState } from '../../gen/pandafuzz/v1/job.js';
import type { WatchJobsResponse } from '../../gen/pandafuzz/v1/job_service.js';
import { count } from '../format.js';
import { shortIds } from '../short-ids.js';
import { jobKind, jobState } from '../words.js';
import type { Event } from './lines.js';

/** Changes that end a job: the job sent with a change may be of later. */
const ends = new Set(['job.completed', 'job.cancelled', 'job.dead']);
/** Changes after an attempt that is followed by another. */
const ofAttempts = new Set(['job.pending', 'job.timed_out']);

export const isEnd = (kind: string): boolean => ends.has(kind);

/** A change of a job as an event, with the reason if there is one. */
export function jobEvent({ kind, time, job, cursor }: WatchJobsResponse): Event {
  return {
    time: time ?? new Date(),
    kind,
    text: job ? `${aboutJob(job)}${reasonOf(kind, job)}` : 'a job that is deleted now',
    isBad: kind === 'job.dead',
    more: { cursor, job: job && Job.toJSON(job) },
  };
}

/** A job as it is. */
export const presentJob = (job: Job, reasons: readonly string[] = []): Event => ({
  time: new Date(),
  kind: `job.${jobState(job).split(' ')[0]}`,
  text: [aboutJob(job) + figuresOf(job), ...reasons].join('; '),
  before: true,
  isBad: job.state === JobState.DEAD,
  more: { job: Job.toJSON(job), reasons },
});

/** Coverage of a job that has risen. */
export const jobFind = (job: Job, gained: number): Event => ({
  time: new Date(),
  kind: 'find',
  text: `${aboutJob(job)}: coverage ${count(job.statistics?.coverage ?? 0)}, ${count(gained)} more`,
  more: { jobId: job.id, coverage: job.statistics?.coverage, gained },
});

/** A crash whose input is kept. */
export const crashEvent = (crash: Crash, target: string): Event => ({
  time: crash.foundAt ?? new Date(),
  kind: 'crash',
  text: `${crash.kind} in ${crash.topFrame || 'no known frame'}, ${target}, crash ${shortId(crash.id)}`,
  isBad: true,
  more: { crash: CrashForm.toJSON({ ...crash, report: '' }) },
});

/** More crashes than are read one by one. */
export const tooManyCrashes = (told: number): Event => ({
  time: new Date(),
  kind: 'crash.more',
  text: `more than ${count(told)} crashes at once: "pandafuzz crash list" has them all`,
  isBad: true,
});

export const shortId = (id: string): string => shortIds([id])(id);

/** Its id, target, and name or kind. */
function aboutJob(job: Job): string {
  const kind = jobKind(job);
  const name = job.spec?.name || (kind === 'fuzz' ? '' : kind);
  return [shortId(job.id), job.spec?.targetName, name].filter(Boolean).join(' ');
}

/** What a bot said about the end of the attempt, and notes about the run. */
function reasonOf(kind: string, job: Job): string {
  if (kind === 'job.noted') {
    return `: ${(job.statistics?.notes ?? []).map(({ text }) => text).join('; ')}`;
  }
  const why = job.result?.message ?? '';
  if (isEnd(kind)) return (why === '' ? '' : `: ${why}`) + figuresOf(job);
  return ofAttempts.has(kind) && why !== '' ? `; its last attempt: ${why}` : '';
}

function figuresOf({ statistics }: Job): string {
  if (!statistics || statistics.executions === 0) return '';
  const { executions, crashHits, crashInputsKept, coverage } = statistics;
  const found = `${count(crashHits)} hits, ${count(crashInputsKept)} kept`;
  return `, ${count(executions)} executions, coverage ${count(coverage)}, ${found}`;
}
