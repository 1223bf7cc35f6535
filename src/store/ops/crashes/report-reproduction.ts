import { NotFoundError, PreconditionError, StaleLeaseError } from '../../../core/errors.js';
import { policyOfCrash } from '../../campaign-policies.js';
import type { CrashReading } from '../../crash-rows.js';
import { writeOperation } from '../../operation.js';
import { one, run, type Steps, statement } from '../../statement.js';
import { recordEvent } from '../events/record-event.js';
import { recordForTarget } from '../events/record-history.js';
import { lockJob } from '../jobs/lock-job.js';
import { chooseReproducer } from './choose-reproducer.js';
import { wantMinimising } from './crash-work.js';
import { type CrashSource, type LeaseName, sourceOf } from './find-source.js';
import { knownGroup } from './new-group.js';
import { reopenGroup } from './raise-hits.js';
import { markFixed } from './verified-fixed.js';

/** What came of running one input again. */
export interface ReportReproduction {
  id: string;
  lease: LeaseName;
  crashId: string;
  runs: number;
  /** Runs that crashed, by what was read of their reports. */
  reports: readonly (Pick<CrashReading, 'signature' | 'distinction'> & { count: number })[];
  log: string;
  /** A crash that reproduces each time is to be made smaller, unless its campaign says otherwise. */
  minimise: boolean;
  now: number;
}

export interface TriedCrash {
  id: string;
  group_id: string;
  project: string;
  target_name: string;
  input_size_bytes: number;
  reproduced_rank: 0 | 1 | 2;
  minimised_from: string | null;
}

interface Reproduction {
  id: string;
  crashId: string;
  jobId: string;
  fence: number;
  bot_id: string;
  target_sha256: string;
  runs: number;
  crashes: number;
  now: number;
  log: string;
}

const select = statement<{ crashId: string }, TriedCrash>(`
  SELECT id, group_id, project, target_name, input_size_bytes, reproduced_rank, minimised_from
  FROM crashes WHERE id = @crashId`);
const specOf = statement<{ jobId: string }, { spec: string }>(
  'SELECT spec FROM jobs WHERE id = @jobId',
);
const earlier = statement<{ crashId: string; jobId: string; fence: number }, { crashes: number }>(`
  SELECT crashes FROM reproductions
  WHERE crash_id = @crashId AND job_id = @jobId AND fence = @fence`);
const insert = statement<Reproduction>(`
  INSERT INTO reproductions (id, crash_id, job_id, fence, bot_id, target_sha256, runs, crashes,
    at, log)
  VALUES (@id, @crashId, @jobId, @fence, @bot_id, @target_sha256, @runs, @crashes, @now, @log)`);
const rank = statement<{ crashId: string; rank: 0 | 2 }>(
  'UPDATE crashes SET reproduced_rank = @rank WHERE id = @crashId',
);
const tried = statement<{
  groupId: string;
  target_sha256: string;
  built_at: number;
  crashed: 0 | 1;
  now: number;
}>(`
  INSERT INTO group_builds (group_id, target_sha256, built_at, hits, verified_at, verified_crashes)
  VALUES (@groupId, @target_sha256, @built_at, 0, @now, @crashed)
  ON CONFLICT (group_id, target_sha256) DO UPDATE SET
    verified_at = excluded.verified_at, verified_crashes = excluded.verified_crashes`);

/**
 * Records what came of running a crash's input again; the same report again changes nothing.
 * Runs count as the crash's where they fall into its group.
 *
 * @returns how many runs did
 * @throws NotFoundError for an attempt that never was, or a crash that its job does not work on
 * @throws PreconditionError WRONG_KIND
 * @throws StaleLeaseError
 */
export const reportReproduction = writeOperation(
  'report_reproduction',
  'result',
  function* (input: ReportReproduction): Steps<number> {
    const { lease, crashId, runs, now } = input;
    const { jobId, fence } = lease;
    yield* lockJob(jobId);
    const source = yield* sourceOf(lease);
    if (source.job_kind !== 'reproduce' && source.job_kind !== 'verify') {
      const why = 'this job does not run crashes again: report what it finds by ReportCrash';
      throw new PreconditionError({ reason: 'WRONG_KIND', why });
    }
    const crash = yield* one(select, { crashId });
    if (!crash || !(yield* isWorkOf(jobId, crashId))) {
      throw new NotFoundError({ resource: 'crash of this job', id: crashId });
    }
    const known = yield* one(earlier, { crashId, jobId, fence });
    if (known) return known.crashes;
    if (source.late === 1) throw new StaleLeaseError(lease);
    const crashes = yield* countOwn(crash, input);
    yield* run(insert, { ...source, ...input, jobId, fence, crashes });
    const groupId = crash.group_id;
    yield* recordEvent(now, 'crash.reproduced', crashId, { groupId, jobId, runs, crashes });
    if (source.job_kind === 'reproduce') yield* tellCampaigns(crash, { jobId, runs, crashes, now });
    yield* judge(crash, source, { ...input, crashes });
    return crashes;
  },
);

/** Not of each group that a new build is tried with: histories would have nothing else. */
function* tellCampaigns(
  crash: TriedCrash,
  of: { jobId: string; runs: number; crashes: number; now: number },
): Steps<void> {
  const { jobId, runs, crashes, now } = of;
  const target = { project: crash.project, targetName: crash.target_name };
  const text = `crash group ${crash.group_id}: ${crashes} of ${runs} runs of its input crashed, job ${jobId}`;
  yield* recordForTarget(target, { time: now, kind: 'reproduced', text });
}

function* isWorkOf(jobId: string, crashId: string): Steps<boolean> {
  const spec = JSON.parse((yield* one(specOf, { jobId }))?.spec ?? '{}');
  const inputs = (spec.crashWork?.inputs ?? []) as { crashId: string }[];
  return inputs.some((input) => input.crashId === crashId);
}

function* countOwn(crash: TriedCrash, { reports }: ReportReproduction): Steps<number> {
  const { project, target_name } = crash;
  let own = 0;
  for (const { signature, distinction, count } of reports) {
    const group = yield* knownGroup({ project, target_name, signature, distinction });
    if (group === crash.group_id) own += count;
  }
  return own;
}

/** Draws the conclusions for the crash, its group and its build. */
function* judge(
  crash: TriedCrash,
  source: CrashSource,
  input: ReportReproduction & { crashes: number },
): Steps<void> {
  const { lease, crashId, crashes, runs, reports, minimise, now } = input;
  const { group_id: groupId } = crash;
  const { jobId } = lease;
  const isOfItsBuild = source.job_kind === 'reproduce';
  if (isOfItsBuild || crashes > 0) {
    yield* run(rank, { crashId, rank: crashes > 0 ? 0 : 2 });
    yield* chooseReproducer(groupId);
  }
  const crashed = reports.length > 0 ? 1 : 0;
  yield* run(tried, { ...source, groupId, crashed, now });
  if (crashes > 0 && !isOfItsBuild) {
    const times = { builtAt: source.built_at, jobCreatedAt: source.job_created_at };
    yield* reopenGroup({ groupId, ...times, now }, { crashId, jobId });
  }
  if (crashed === 0 && !isOfItsBuild) yield* markFixed({ crash, source, jobId, runs, now });
  const isSmallest = crash.minimised_from !== null || crash.input_size_bytes < 2;
  if (isOfItsBuild && crashes === runs && !isSmallest) {
    const isWanted = minimise || (yield* policyOfCrash(crashId, 'minimise')) === 'on';
    if (isWanted) yield* wantMinimising(crashId, crash);
  }
}
