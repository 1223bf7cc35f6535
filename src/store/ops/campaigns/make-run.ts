import { forShare } from '../../sql.js';
import { one, run, type Steps, statement } from '../../statement.js';
import { type CreateJobInput, queueJob } from '../jobs/create-job.js';
import { noteBuild } from '../jobs/note-build.js';

/** A run that a campaign makes for a slot that is free. */
export interface NewRun {
  campaignId: string;
  /** Of the campaign that it was planned by. */
  revision: number;
  build: string;
  plannedMs: number;
  job: CreateJobInput;
}

const atWork = statement<NewRun, unknown>(`
  SELECT 1 FROM fuzz_campaigns
  WHERE id = @campaignId AND revision = @revision AND state = 'active' ${forShare}`);
const insert = statement<Omit<NewRun, 'job' | 'revision'> & { jobId: string }>(`
  INSERT INTO campaign_runs (job_id, campaign_id, build, planned_ms)
  VALUES (@jobId, @campaignId, @build, @plannedMs)`);
const mergeSoon = statement<{ project: string; targetName: string; now: number }>(`
  UPDATE corpora SET merge_due_at = @now
  WHERE project = @project AND target_name = @targetName`);

/**
 * Makes a run, if its campaign still is as it was planned by. The first run of a new build
 * has the corpus merged, as far as corpora are.
 *
 * @returns whether it is made
 * @throws NotFoundError for an artifact that is gone
 */
export function* makeRun(planned: NewRun): Steps<boolean> {
  if (!(yield* one(atWork, planned))) return false;
  const { job, campaignId, build, plannedMs } = planned;
  yield* queueJob(job);
  yield* run(insert, { jobId: job.id, campaignId, build, plannedMs });
  if (yield* noteBuild(job)) yield* run(mergeSoon, job);
  return true;
}
