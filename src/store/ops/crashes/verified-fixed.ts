import { all, one, run, type Steps, statement } from '../../statement.js';
import { recordEvent } from '../events/record-event.js';
import type { CrashSource } from './find-source.js';
import type { TriedCrash } from './report-reproduction.js';
import { reopensSince } from './set-group-status.js';

/** A crash that was tried on a build, and did not crash. */
export interface UncrashedTry {
  readonly crash: TriedCrash;
  readonly source: CrashSource;
  readonly jobId: string;
  readonly runs: number;
  readonly now: number;
}

/** No crash in all runs counts where a bug that is still there would do that less often. */
const mostChance = 0.01;
/** Who sets the status. */
const by = 'pandafuzz: verified';

const metSince = statement<{ groupId: string; builtAt: number }, unknown>(`
  SELECT 1 FROM group_builds
  WHERE group_id = @groupId AND built_at >= @builtAt AND (hits > 0 OR verified_crashes = 1)
  LIMIT 1`);
const lastCrashes = statement<{ crashId: string }, { runs: number; crashes: number }>(`
  SELECT runs, crashes FROM reproductions
  WHERE crash_id = @crashId AND crashes > 0 ORDER BY id DESC LIMIT 1`);
const engines = statement<{ crashId: string; jobId: string }, { met: string; tried: string }>(`
  SELECT met.spec AS met, tried.spec AS tried
  FROM crashes JOIN jobs AS met ON met.id = crashes.job_id JOIN jobs AS tried ON tried.id = @jobId
  WHERE crashes.id = @crashId`);

/** A build of a campaign, whatever artifact it has. */
interface Arm {
  campaign_id: string;
  build: string;
}
const armsWith = statement<{ build: string }, Arm>(
  'SELECT campaign_id, build FROM campaign_builds WHERE target_sha256 = @build',
);
const armsThatMet = statement<{ groupId: string }, Arm>(`
  SELECT campaign_id, build
  FROM group_builds JOIN campaign_builds USING (target_sha256)
  WHERE group_id = @groupId AND hits > 0`);
const update = statement<{
  groupId: string;
  by: string;
  build: string;
  reopensFrom: number | null;
  now: number;
}>(`
  UPDATE crash_groups SET status = 'fixed', status_set_by = @by, status_set_at = @now,
    fixed_in_sha256 = @build, reopens_from = @reopensFrom
  WHERE id = @groupId AND (status = 'new' OR status = 'confirmed')`);

/**
 * Marks a group as fixed in a build on which its reproducer does not crash any more. It
 * stays as it is where that proves nothing: this build or a later one has met it, the
 * reproducer does not crash on its own build either, or only now and then, or the build is
 * of another kind than those that met it.
 */
export function* markFixed({ crash, source, jobId, runs, now }: UncrashedTry): Steps<void> {
  const { group_id: groupId, id: crashId } = crash;
  const { target_sha256: build, built_at: builtAt } = source;
  if (yield* one(metSince, { groupId, builtAt })) return;
  if (crash.reproduced_rank === 2) return;
  if (yield* isOfAnotherKind(groupId, { crashId, jobId, build })) return;
  const known = yield* one(lastCrashes, { crashId });
  const chance = known ? (1 - known.crashes / known.runs) ** runs : 0;
  if (chance > mostChance) return;
  const reopensFrom = yield* reopensSince(groupId, build);
  if ((yield* run(update, { groupId, by, build, reopensFrom, now })) === 0) return;
  yield* recordEvent(now, 'crash_group.status', groupId, { status: 'fixed', by });
  yield* recordEvent(now, 'crash_group.fixed', groupId, { fixedIn: build, by, crashId, jobId });
}

/**
 * Whether a build was made in another way than those that met a group: without the sanitizer that
 * sees its bug, perhaps. It is for another engine, or the same campaign has it in another place.
 */
function* isOfAnotherKind(
  groupId: string,
  { crashId, jobId, build }: { crashId: string; jobId: string; build: string },
): Steps<boolean> {
  const specs = yield* one(engines, { crashId, jobId });
  if (specs && engineOf(specs.met) !== engineOf(specs.tried)) return true;
  const own = yield* all(armsWith, { build });
  const ofItsCampaigns = (yield* all(armsThatMet, { groupId })).filter((met) =>
    own.some((arm) => arm.campaign_id === met.campaign_id),
  );
  const isSame = (met: Arm) =>
    own.some((arm) => arm.campaign_id === met.campaign_id && arm.build === met.build);
  return ofItsCampaigns.length > 0 && !ofItsCampaigns.some(isSame);
}

const engineOf = (spec: string): string => String(JSON.parse(spec).engine ?? '');
