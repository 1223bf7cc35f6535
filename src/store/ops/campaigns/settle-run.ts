import { endOf, whyOver } from '../../campaign-end.js';
import type { CampaignStateName, FuzzCampaignRow, LoadedCampaign } from '../../campaign-rows.js';
import { pageOperation, writeOperation } from '../../operation.js';
import type { JobStateName } from '../../rows.js';
import { all, one, run, type Steps, statement } from '../../statement.js';
import { addStatistics } from '../../statistics.js';
import { recordHistory } from '../events/record-history.js';
import { type CountedRun, countArm } from './count-arm.js';
import { keepScore } from './keep-score.js';
import { loaded, lockCampaign } from './load-campaign.js';
import { meetGroups } from './meet-groups.js';
import { moved } from './move-campaign.js';

/** A start costs at least this much: a crash loop is not cheap. Milliseconds. */
const leastBilledMs = 60_000;

/** Outcomes of runs that nobody stopped, and whose bot was not lost. */
const endsByItself: readonly string[] = ['completed', 'failed', 'infrastructure'];

/** A run that has ended, and what came of it. */
export interface SettledRun {
  /** Its campaign as it is after it; undefined: it is deleted. */
  campaign: LoadedCampaign | undefined;
  build: string;
  /** What it was planned to be billed, and what it is. */
  plannedMs: number;
  billedMs: number;
  /** Of the fleet's time: as billed, but a run that was planned for less costs no more. */
  tookMs: number;
}

interface Job {
  id: string;
  finished_at: number;
  outcome: string | null;
  statistics: string | null;
  earlier_statistics: string | null;
}

interface RunRow {
  campaign_id: string;
  build: string;
  planned_ms: number;
}

interface Figures {
  campaignId: string;
  costMs: number;
  billedMs: number;
  found: 0 | 1;
  groups: number;
  now: number;
}

const openRun = statement<{ jobId: string }, RunRow>(`
  SELECT campaign_id, build, planned_ms FROM campaign_runs WHERE job_id = @jobId AND settled = 0`);
const endedJob = statement<{ jobId: string }, Job>(`
  SELECT id, finished_at, outcome, statistics, earlier_statistics FROM jobs
  WHERE id = @jobId AND finished_at IS NOT NULL`);
const attempts = statement<
  { jobId: string },
  { ended_at: number | null; began_at: number | null }
>(`
  SELECT ended_at, acknowledged_at AS began_at FROM attempts WHERE job_id = @jobId`);
const newGroups = statement<{ jobId: string }, { groups: number }>(`
  SELECT count(*) AS groups FROM crashes JOIN crash_groups ON crash_groups.id = crashes.group_id
  WHERE crashes.job_id = @jobId AND crash_groups.first_crash_id = crashes.id`);
const anyCrash = statement<{ jobId: string }, unknown>(
  'SELECT 1 FROM crashes WHERE job_id = @jobId LIMIT 1',
);
const settle = statement<{ jobId: string }>(
  'UPDATE campaign_runs SET settled = 1 WHERE job_id = @jobId',
);
const addToCampaign = statement<Figures>(`
  UPDATE fuzz_campaigns SET runs = runs + 1, finding_runs = finding_runs + @found,
    cpu_ms = cpu_ms + @costMs, billed_ms = billed_ms + @billedMs, crash_groups = crash_groups + @groups,
    last_find_at = CASE WHEN @found = 1 THEN CAST(@now AS BIGINT) ELSE last_find_at END,
    quiet_from_ms = CASE WHEN @found = 1 THEN billed_ms + @billedMs ELSE quiet_from_ms END,
    last_find_ms = CASE WHEN @found = 1 THEN billed_ms + @billedMs ELSE last_find_ms END
  WHERE id = @campaignId`);
/**
 * Counts a run of a campaign that has ended, once, and ends the campaign if that was its end.
 *
 * @returns undefined for a job that is no such run, has not ended, or is counted
 */
export const settleRun = writeOperation(
  'settle_run',
  'upkeep',
  function* ({ jobId, now }: { jobId: string; now: number }): Steps<SettledRun | undefined> {
    const row = yield* one(openRun, { jobId });
    if (!row) return undefined;
    const { campaign_id: campaignId, build, planned_ms: plannedMs } = row;
    const before = yield* lockCampaign(campaignId);
    const job = yield* one(endedJob, { jobId });
    // Locked by now: another master may have counted it meanwhile.
    if (!job || !(yield* one(openRun, { jobId }))) return undefined;
    yield* run(settle, { jobId });
    const costMs = before && (yield* costOf(jobId));
    const billedMs = costMs === undefined ? 0 : Math.max(costMs, leastBilledMs);
    if (before && costMs !== undefined) {
      yield* count(before, row, { job, costMs, billedMs, now });
    }
    const campaign = before && (yield* loaded(campaignId));
    const tookMs = Math.min(billedMs, Math.max(costMs ?? 0, plannedMs));
    return { campaign, build, plannedMs, billedMs, tookMs };
  },
);

/** Milliseconds that a job's attempts held a slot; undefined: none began. */
function* costOf(jobId: string): Steps<number | undefined> {
  const begun = (yield* all(attempts, { jobId })).flatMap(({ began_at, ended_at }) =>
    began_at === null || ended_at === null ? [] : [Math.max(ended_at - began_at, 0)],
  );
  return begun.length === 0 ? undefined : begun.reduce((sum, ms) => sum + ms, 0);
}

interface Ended {
  job: Job;
  costMs: number;
  billedMs: number;
  now: number;
}

function* count(before: FuzzCampaignRow, row: RunRow, ended: Ended): Steps<void> {
  const { job, costMs, billedMs, now } = ended;
  const campaignId = before.id;
  const { build } = row;
  const groups = (yield* one(newGroups, { jobId: job.id }))?.groups ?? 0;
  const figures = figuresOf(job);
  const found = groups > 0 || figures.hasNewCoverage ? 1 : 0;
  yield* run(addToCampaign, { campaignId, costMs, billedMs, found, groups, now });
  const counted: CountedRun = {
    ...{ campaignId, build, jobId: job.id, plannedMs: row.planned_ms },
    ...{ costMs, billedMs, found, groups, now, ...figures },
    isByItself: endsByItself.includes(job.outcome ?? ''),
  };
  yield* countArm(counted, before.billed_ms + billedMs);
  yield* meetGroups(before, job.id);
  const after = (yield* lockCampaign(campaignId)) as FuzzCampaignRow;
  yield* keepScore(after, { found: found === 1, plannedMs: row.planned_ms });
  if (groups > 0) {
    const text = `${groups} new crash group${groups === 1 ? '' : 's'} by ${build}, job ${job.id}`;
    yield* recordHistory({ campaignId, time: now, kind: 'crash', text });
  }
  if (before.state !== 'active') return;
  const hasCrashed = (yield* one(anyCrash, { jobId: job.id })) !== undefined;
  const reason = whyOver(endOf(after.spec), after, { now, hasCrashed });
  if (reason === undefined) return;
  const stopping = hasCrashed && endOf(after.spec).firstCrash ? 1 : 0;
  yield* moved({ id: campaignId, to: 'ended', reason, dueAt: null, stopping, now });
}

/** Fuzzing of a run, and whether it has edges beyond those of its seeds and its corpus. */
function figuresOf({ statistics, earlier_statistics }: Job) {
  const all_ = addStatistics(earlier_statistics, statistics);
  const figures = all_ === null ? {} : JSON.parse(all_);
  // By its engine's own count.
  const { coverage = 0, loadedCoverage = 0, elapsedMs = 0, restartingMs = 0 } = figures;
  return {
    hasNewCoverage: loadedCoverage > 0 && coverage > loadedCoverage,
    fuzzedMs: Math.max(elapsedMs - restartingMs, 0),
  };
}

interface OpenRun {
  job_id: string;
  /** null: the job is forgotten. */
  state: JobStateName | null;
  finished_at: number | null;
  campaign_state: CampaignStateName | null;
}

const openRuns = statement<{ afterId: string; limit: number }, OpenRun>(`
  SELECT job_id, jobs.state, finished_at, fuzz_campaigns.state AS campaign_state
  FROM campaign_runs LEFT JOIN jobs ON jobs.id = job_id
    LEFT JOIN fuzz_campaigns ON fuzz_campaigns.id = campaign_runs.campaign_id
  WHERE settled = 0 AND job_id > @afterId ORDER BY job_id LIMIT @limit`);

/** Runs that are not counted. */
export interface OpenRuns {
  /** They have ended. */
  ended: string[];
  /** They wait, and their campaign makes no runs now. */
  unwanted: string[];
  /** Where to go on; '' at the end. */
  nextId: string;
}

/** What is to be done about the next `limit` runs that are not counted. */
export const lookAtRuns = pageOperation(
  'look_at_runs',
  function* (input: { afterId: string; limit: number }): Steps<OpenRuns> {
    const rows = yield* all(openRuns, input);
    const idsOf = (is: (row: OpenRun) => boolean) => rows.filter(is).map(({ job_id }) => job_id);
    const waits = ({ state }: OpenRun) => state === 'pending' || state === 'paused';
    return {
      ended: idsOf(({ state, finished_at }) => state === null || finished_at !== null),
      unwanted: idsOf((row) => waits(row) && row.campaign_state !== 'active'),
      nextId: rows.length === input.limit ? (rows.at(-1)?.job_id ?? '') : '',
    };
  },
);
