import { one, run, type Steps, statement } from '../../statement.js';
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
 * reproducer does not crash on its own build either, or only now and then.
 */
export function* markFixed({ crash, source, jobId, runs, now }: UncrashedTry): Steps<void> {
  const { group_id: groupId, id: crashId } = crash;
  const { target_sha256: build, built_at: builtAt } = source;
  if (yield* one(metSince, { groupId, builtAt })) return;
  if (crash.reproduced_rank === 2) return;
  const known = yield* one(lastCrashes, { crashId });
  const chance = known ? (1 - known.crashes / known.runs) ** runs : 0;
  if (chance > mostChance) return;
  const reopensFrom = yield* reopensSince(groupId, build);
  if ((yield* run(update, { groupId, by, build, reopensFrom, now })) === 0) return;
  yield* recordEvent(now, 'crash_group.status', groupId, { status: 'fixed', by });
  yield* recordEvent(now, 'crash_group.fixed', groupId, { fixedIn: build, by, crashId, jobId });
}
