import { Job, JobState } from '../../gen/pandafuzz/v1/job.js';
import type { WatchJobsResponse } from '../../gen/pandafuzz/v1/job_service.js';
import { count } from '../format.js';
import { shortIds } from '../short-ids.js';
import { jobKind, jobState } from '../words.js';
import type { Event } from './lines.js';

/** A change of a job as an event, with the reason if there is one. */
export function jobEvent({ kind, time, job, cursor }: WatchJobsResponse): Event {
  return {
    time: time ?? new Date(),
    kind,
    text: job ? `${aboutJob(job)}${reasonOf(kind, job)}` : 'the job is deleted',
    isBad: kind === 'job.dead' || job?.state === JobState.DEAD,
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

/** Its id, target, and name or kind. */
function aboutJob(job: Job): string {
  const kind = jobKind(job);
  const name = job.spec?.name || (kind === 'fuzz' ? '' : kind);
  return [shortIds([job.id])(job.id), job.spec?.targetName, name].filter(Boolean).join(' ');
}

/** What a bot said about the end of the attempt, and notes about the run. */
function reasonOf(kind: string, job: Job): string {
  const notes = (job.statistics?.notes ?? []).map(({ text }) => text);
  if (kind === 'job.noted') return `: ${notes.join('; ')}`;
  const isEnd = job.finishedAt !== undefined || kind === 'job.pending';
  const why = job.result?.message ?? '';
  if (!isEnd) return '';
  return (why === '' ? '' : `: ${why}`) + (job.finishedAt ? figuresOf(job) : '');
}

function figuresOf({ statistics }: Job): string {
  if (!statistics || statistics.executions === 0) return '';
  const { executions, crashHits, crashInputsKept, coverage } = statistics;
  const found = `${count(crashHits)} hits, ${count(crashInputsKept)} kept`;
  return `, ${count(executions)} executions, coverage ${count(coverage)}, ${found}`;
}
