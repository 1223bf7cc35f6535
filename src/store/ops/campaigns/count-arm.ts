import { type ArmRow, armColumns, recentOf } from '../../campaign-rows.js';
import { fadedTo, rewardOf } from '../../campaign-sums.js';
import { earlier } from '../../sql.js';
import { one, run, type Steps, statement } from '../../statement.js';
import { recordHistory } from '../events/record-history.js';

/** A run of a build that has ended. */
export interface CountedRun {
  campaignId: string;
  build: string;
  jobId: string;
  plannedMs: number;
  /** Time that it held a slot. */
  costMs: number;
  /** The same, a minute at least. */
  billedMs: number;
  fuzzedMs: number;
  found: 0 | 1;
  hasNewCoverage: boolean;
  /** Crash groups that it found first. */
  groups: number;
  /** Nobody stopped it, and its bot was not lost. */
  isByItself: boolean;
  now: number;
}

/** Less fuzzing than this in a run is hardly any, milliseconds. */
const shortMs = 60_000;
/** So many such runs on end, and a build is held. */
const mostShort = 3;
/** Its first hold, and its longest, milliseconds. */
const firstHoldMs = 600_000;
const longestHoldMs = 7_200_000;
/** Overheads that are kept of a build. */
const mostOverheads = 9;

type Held = Pick<ArmRow, 'short_runs' | 'held_until' | 'hold_ms' | 'hold_why'>;
type Figures = Omit<CountedRun, 'hasNewCoverage' | 'isByItself'>;

const armOf = statement<{ campaignId: string; build: string }, ArmRow>(`
  SELECT ${armColumns} FROM campaign_arms WHERE campaign_id = @campaignId AND build = @build`);
const buildsOf = statement<{ campaignId: string }, { builds: number }>(`
  SELECT count(*) AS builds FROM campaign_arms
  WHERE campaign_id = @campaignId AND position IS NOT NULL`);
const crashedIn = statement<{ jobId: string }, { group_id: string | null }>(
  'SELECT min(group_id) AS group_id FROM crashes WHERE job_id = @jobId',
);
const update = statement<Figures & Omit<ArmRow, 'build' | 'campaign_id'>>(`
  UPDATE campaign_arms SET runs = runs + 1, finding_runs = finding_runs + @found,
    cpu_ms = cpu_ms + @costMs, crash_groups = crash_groups + @groups,
    recent_found = @recent_found, recent_hits = @recent_hits, recent_ms = @recent_ms,
    recent_runs = @recent_runs, stamp_ms = @stamp_ms, trial_left = @trial_left, overheads = @overheads,
    short_runs = @short_runs, held_until = @held_until, hold_ms = @hold_ms, hold_why = @hold_why
  WHERE campaign_id = @campaignId AND build = @build`);
const wakeAt = statement<{ campaignId: string; heldUntil: number }>(`
  UPDATE fuzz_campaigns SET due_at = ${earlier('due_at', 'CAST(@heldUntil AS BIGINT)')}
  WHERE id = @campaignId AND state = 'active'`);

/**
 * Adds a run that has ended to the figures of its build, whose campaign is locked; a build
 * whose runs die at once is held, until one of them does not.
 *
 * @param billedMs what the campaign is billed with it
 */
export function* countArm(ended: CountedRun, billedMs: number): Steps<void> {
  const { campaignId, build, groups, hasNewCoverage, ...rest } = ended;
  const row = yield* one(armOf, { campaignId, build });
  if (!row) return;
  const { builds = 1 } = (yield* one(buildsOf, { campaignId })) ?? {};
  const faded = fadedTo(recentOf(row), billedMs, { runMs: rest.plannedMs, builds });
  const held = yield* heldAfter(row, ended);
  yield* run(update, {
    ...row,
    ...{ ...rest, campaignId, build, groups },
    recent_found: faded.found + rewardOf({ found: hasNewCoverage, groups }),
    recent_hits: faded.hits + rest.found,
    recent_ms: faded.ms + rest.billedMs,
    recent_runs: faded.runs + 1,
    stamp_ms: billedMs,
    trial_left: Math.max(row.trial_left - 1, 0),
    overheads: overheadsAfter(row, ended),
    ...held,
  });
  const heldUntil = held.held_until;
  if (heldUntil !== null) yield* run(wakeAt, { campaignId, heldUntil });
  yield* record(row, held, ended);
}

/** Of a run that somebody stopped early, or that hardly began, its overhead says nothing. */
function overheadsAfter(row: ArmRow, ended: CountedRun): string {
  if (!ended.isByItself || isShort(ended)) return row.overheads;
  const overhead = Math.max(Math.round(ended.costMs - ended.fuzzedMs), 0);
  return JSON.stringify([overhead, ...JSON.parse(row.overheads)].slice(0, mostOverheads));
}

const isShort = ({ fuzzedMs, plannedMs }: CountedRun) =>
  fuzzedMs < Math.min(shortMs, plannedMs / 2);

function* heldAfter(row: ArmRow, ended: CountedRun): Steps<Held> {
  if (!isShort(ended)) return { short_runs: 0, held_until: null, hold_ms: 0, hold_why: '' };
  const { short_runs, held_until, hold_ms, hold_why } = row;
  const { isByItself, now } = ended;
  // It was under way already when the build was held, or it says nothing about the build.
  if (held_until !== null && held_until > now) return row;
  if (!isByItself) {
    return {
      short_runs,
      hold_ms,
      hold_why,
      held_until: held_until === null ? null : now + hold_ms,
    };
  }
  const short = short_runs + 1;
  if (short < mostShort) return { short_runs: short, held_until: null, hold_ms: 0, hold_why: '' };
  const holdMs = hold_ms === 0 ? firstHoldMs : Math.min(hold_ms * 2, longestHoldMs);
  const why = yield* whyHeld(short, ended);
  return { short_runs: short, held_until: now + holdMs, hold_ms: holdMs, hold_why: why };
}

function* whyHeld(short: number, { jobId, fuzzedMs }: CountedRun): Steps<string> {
  const { group_id = null } = (yield* one(crashedIn, { jobId })) ?? {};
  const crash = group_id === null ? '' : `, in crash group ${group_id}`;
  const seconds = Math.round(fuzzedMs / 1000);
  return `${short} runs on end died early, the last after ${seconds} s of fuzzing (job ${jobId}${crash})`;
}

function* record(before: ArmRow, after: Held, ended: CountedRun): Steps<void> {
  const { campaignId, build, now } = ended;
  if (before.held_until === null && after.held_until !== null) {
    const text = `build ${build}: ${after.hold_why}`;
    yield* recordHistory({ campaignId, time: now, kind: 'held', text });
  }
  if (before.held_until !== null && after.held_until === null) {
    const text = `build ${build} fuzzes again`;
    yield* recordHistory({ campaignId, time: now, kind: 'recovered', text });
  }
}
