import { unary } from '../client/call.js';
import type { Connection } from '../client/connect.js';
import { isNotFound } from '../client/failure.js';
import { Job, JobState } from '../gen/pandafuzz/v1/job.js';
import { type ListFlags, showListing } from './listing.js';
import { type JobFilter, jobPages } from './lists.js';
import { asking, type Flags } from './session.js';
import { jobSorts } from './sorts.js';
import type { CallOptions } from './submit.js';
import { jobTable } from './views.js';

/** `pandafuzz job list`. */

export interface JobListFlags extends Flags, ListFlags {
  /** A JobState in lower case. */
  readonly state?: string;
  readonly project?: string;
  readonly target?: string;
  /** Name or id of a campaign, or a key of jobs that were submitted by hand. */
  readonly campaign?: string;
  readonly since?: Date;
}

export function showJobs(flags: JobListFlags): Promise<void> {
  return asking(flags, async (connection, options) => {
    const filter = await filterOf(connection, flags, options);
    await showListing(flags, {
      items: 'jobs',
      first: 'newest',
      read: jobPages(connection, filter, options),
      sorts: jobSorts,
      toJson: Job.toJSON,
      text: (jobs, width) => jobTable(jobs, Date.now(), width),
    });
  });
}

async function filterOf(
  connection: Connection,
  { state = 'unspecified', project, target, campaign, since }: JobListFlags,
  options: CallOptions,
): Promise<JobFilter> {
  const filter = {
    state: JobState[state.toUpperCase() as keyof typeof JobState],
    ...(project !== undefined && { project }),
    ...(target !== undefined && { targetName: target }),
    since,
  };
  if (campaign === undefined) return filter;
  const ofIt = await findCampaign(connection, { project: project ?? '', campaign }, options);
  // With the campaign's own target the master has an index.
  return { ...ofIt, ...filter };
}

async function findCampaign(
  { campaigns }: Connection,
  request: { project: string; campaign: string },
  options: CallOptions,
): Promise<Pick<JobFilter, 'campaign' | 'project' | 'targetName'>> {
  try {
    const answer = await unary(campaigns, campaigns.getCampaign, request, options);
    const { key, spec } = answer.campaign ?? {};
    if (key !== undefined && spec) {
      return { campaign: key, project: spec.project, targetName: spec.targetName };
    }
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  return { campaign: request.campaign };
}
