import { feed } from '../client/call.js';
import { WatchJobsResponse } from '../gen/pandafuzz/v1/job_service.js';
import { plain } from './format.js';
import { asking, type Flags } from './session.js';

/** `pandafuzz job watch`: a line for each change, until it is interrupted. */
export function watchJobs(flags: Flags, from: { jobId: string; cursor: number }): Promise<void> {
  return asking(flags, async ({ jobs }, { signal }) => {
    for await (const change of feed(jobs, jobs.watchJobs, from, signal)) {
      if (change.kind === '') continue;
      const line = flags.json
        ? JSON.stringify(WatchJobsResponse.toJSON(change))
        : plain(lineOf(change));
      process.stdout.write(`${line}\n`);
    }
  });
}

function lineOf({ time, kind, job }: WatchJobsResponse): string {
  const at = time?.toISOString().slice(11, 19) ?? '';
  const about = job ? `${job.id} ${job.spec?.targetName ?? ''} ${job.spec?.name ?? ''}` : '';
  return `${at}  ${kind.padEnd(22)} ${about}`.trimEnd();
}
