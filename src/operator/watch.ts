import { feed } from '../client/call.js';
import { plain, plainJson } from '../core/unseen.js';
import { WatchJobsResponse } from '../gen/pandafuzz/v1/job_service.js';
import { findId } from './ids.js';
import { asking, type Flags } from './session.js';

/** `pandafuzz job watch`: a line for each change, until it is interrupted. */
export function watchJobs(
  flags: Flags,
  { job, cursor }: { job: string | undefined; cursor: number },
): Promise<void> {
  return asking(flags, async (connection, options) => {
    const { jobs } = connection;
    const jobId = job === undefined ? '' : await findId(connection, job, 'job', options);
    const from = { jobId, cursor };
    for await (const change of feed(jobs, jobs.watchJobs, from, options.signal)) {
      if (change.kind === '') continue;
      const line = flags.json
        ? plainJson(JSON.stringify(WatchJobsResponse.toJSON(change)))
        : [lineOf(change), ...notesOf(change)].map(plain).join('\n');
      process.stdout.write(`${line}\n`);
    }
  });
}

function lineOf({ time, kind, job }: WatchJobsResponse): string {
  const at = time?.toISOString().slice(11, 19) ?? '';
  const about = job ? `${job.id} ${job.spec?.targetName ?? ''} ${job.spec?.name ?? ''}` : '';
  return `${at}  ${kind.padEnd(22)} ${about}`.trimEnd();
}

/** Notes about the run, when it is first noted and when it ends. */
const notesOf = ({ kind, job }: WatchJobsResponse): string[] =>
  kind === 'job.noted' || job?.finishedAt
    ? (job?.statistics?.notes ?? []).map(({ text }) => `          ${text}`)
    : [];
