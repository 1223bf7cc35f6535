import { greatest } from '../../sql.js';
import { one, run, type Steps, statement } from '../../statement.js';
import { recordEvent } from '../events/record-event.js';
import { addSource } from './add-source.js';
import { wantReproduction } from './crash-work.js';
import type { CrashSource } from './find-source.js';

/** A crash that was met, and how often one attempt has met it so far. */
export interface Sighting {
  readonly crashId: string;
  readonly groupId: string;
  readonly jobId: string;
  readonly fence: number;
  /** A total: the same again changes nothing. */
  readonly hits: number;
  readonly source: CrashSource;
  readonly now: number;
}

const known = statement<{ crashId: string; fence: number }, { hits: number }>(
  'SELECT hits FROM crash_hits WHERE crash_id = @crashId AND fence = @fence',
);
const set = statement<{ crashId: string; fence: number; hits: number }>(`
  INSERT INTO crash_hits (crash_id, fence, hits) VALUES (@crashId, @fence, @hits)
  ON CONFLICT (crash_id, fence) DO UPDATE SET hits = excluded.hits`);
const ofCrash = statement<{ crashId: string; more: number; now: number }>(`
  UPDATE crashes SET hits = hits + @more, last_met_at = ${greatest('last_met_at', '@now')}
  WHERE id = @crashId`);
const ofGroup = statement<{ groupId: string; more: number; kept: 0 | 1; now: number }>(`
  UPDATE crash_groups SET hits = hits + @more, count = count + @kept,
    last_found_at = ${greatest('last_found_at', '@now')}
  WHERE id = @groupId`);
const ofBuild = statement<{
  groupId: string;
  target_sha256: string;
  built_at: number;
  more: number;
  now: number;
}>(`
  INSERT INTO group_builds (group_id, target_sha256, built_at, first_met_at, last_met_at, hits)
  VALUES (@groupId, @target_sha256, @built_at, @now, @now, @more)
  ON CONFLICT (group_id, target_sha256) DO UPDATE SET
    hits = group_builds.hits + excluded.hits,
    first_met_at = coalesce(group_builds.first_met_at, excluded.first_met_at),
    last_met_at = excluded.last_met_at`);

/** A group that was met, by a build and a job of these ages. */
interface Reopening {
  groupId: string;
  builtAt: number;
  jobCreatedAt: number;
  now: number;
}

const reopen = statement<Reopening>(`
  UPDATE crash_groups SET status = 'new', fixed_in_sha256 = NULL, reopens_from = NULL,
    reopened_at = @now
  WHERE id = @groupId AND status = 'fixed'
    AND CASE WHEN reopens_from IS NULL THEN @jobCreatedAt > status_set_at
      ELSE @builtAt >= reopens_from END`);

/** Counts the first sighting of a crash whose row was just made. */
export function* firstSighting(sighting: Sighting): Steps<void> {
  yield* run(set, sighting);
  yield* count(sighting, sighting.hits, 1);
  yield* addSources(sighting);
}

/** Counts what is new in the total of an attempt. */
export function* raiseHits(sighting: Sighting): Steps<void> {
  const { crashId, now } = sighting;
  const before = yield* one(known, sighting);
  const more = sighting.hits - (before?.hits ?? 0);
  if (more <= 0) return;
  if (!before) yield* addSources(sighting);
  yield* run(set, sighting);
  yield* run(ofCrash, { crashId, more, now });
  yield* count(sighting, more, 0);
}

function* addSources({ groupId, jobId, source }: Sighting): Steps<void> {
  yield* addSource(groupId, 'job', jobId);
  yield* addSource(groupId, 'bot', source.bot_id);
  yield* addSource(groupId, 'build', source.target_sha256);
}

function* count(sighting: Sighting, more: number, kept: 0 | 1): Steps<void> {
  const { groupId, source, now, crashId, jobId } = sighting;
  yield* run(ofGroup, { groupId, more, kept, now });
  yield* run(ofBuild, { ...source, groupId, more, now });
  const times = { builtAt: source.built_at, jobCreatedAt: source.job_created_at };
  const isReopened = yield* reopenGroup({ groupId, ...times, now }, { crashId, jobId });
  if (isReopened) yield* wantReproduction(crashId, source);
}

/** Reopens a group that is marked as fixed, where the build is one that must not crash. */
export function* reopenGroup(
  reopening: Reopening,
  cause: { crashId: string; jobId: string },
): Steps<boolean> {
  if ((yield* run(reopen, reopening)) === 0) return false;
  yield* recordEvent(reopening.now, 'crash_group.reopened', reopening.groupId, cause);
  return true;
}
