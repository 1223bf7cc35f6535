import type { CrashGroupRow, GroupStatusName } from '../../crash-rows.js';
import { all, one, run, type Steps, statement } from '../../statement.js';
import { addSource } from './add-source.js';
import { chooseReproducer } from './choose-reproducer.js';
import { groupRow } from './group-rows.js';
import { topFrames } from './new-group.js';

interface Member {
  id: string;
  job_id: string;
  target_sha256: string;
  found_at: number;
  last_met_at: number;
  hits: number;
}

/** Of a group's oldest crash, what the group shows. */
interface Face {
  kind: string;
  message: string;
  top_frame: string;
  security: 0 | 1;
  stack: string;
}

/** What a group is made of, by its crashes. */
interface Figures {
  groupId: string;
  count: number;
  hits: number;
  firstFoundAt: number;
  lastFoundAt: number;
  firstCrashId: string;
}

const members = statement<{ groupId: string }, Member>(`
  SELECT id, job_id, target_sha256, found_at, last_met_at, hits
  FROM crashes WHERE group_id = @groupId ORDER BY id`);
/** By whom its crashes were met: later attempts of a job may be other bots'. */
const sightings = statement<{ groupId: string }, { bot_id: string }>(`
  SELECT attempts.bot_id
  FROM crashes
    JOIN crash_hits ON crash_hits.crash_id = crashes.id
    JOIN attempts ON attempts.job_id = crashes.job_id AND attempts.fence = crash_hits.fence
  WHERE crashes.group_id = @groupId`);
const face = statement<{ id: string }, Face>(
  'SELECT kind, message, top_frame, security, stack FROM crashes WHERE id = @id',
);
const fill = statement<Figures & Face & { frames: string }>(`
  UPDATE crash_groups SET merged_into = NULL, count = @count, hits = @hits,
    jobs = 0, bots = 0, builds = 0, first_found_at = @firstFoundAt, last_found_at = @lastFoundAt,
    first_crash_id = @firstCrashId, kind = @kind, message = @message, top_frame = @top_frame,
    security = @security, frames = @frames
  WHERE id = @groupId`);
const empty = statement<{ groupId: string; into: string }>(`
  UPDATE crash_groups SET merged_into = @into, count = 0, hits = 0, jobs = 0, bots = 0, builds = 0
  WHERE id = @groupId AND id <> @into`);
const forgetSources = statement<{ groupId: string }>(
  'DELETE FROM group_sources WHERE group_id = @groupId',
);
const forgetMet = statement<{ groupId: string }>(`
  UPDATE group_builds SET first_met_at = NULL, last_met_at = NULL, hits = 0
  WHERE group_id = @groupId`);
const setMet = statement<{ groupId: string; build: string } & Met>(`
  INSERT INTO group_builds (group_id, target_sha256, built_at, first_met_at, last_met_at, hits)
  SELECT @groupId, sha256, created_at, @firstMetAt, @lastMetAt, @hits
  FROM artifacts WHERE sha256 = @build
  ON CONFLICT (group_id, target_sha256) DO UPDATE SET hits = excluded.hits,
    first_met_at = excluded.first_met_at, last_met_at = excluded.last_met_at`);
const groupOf = statement<{ id: string }, { group_id: string }>(
  'SELECT group_id FROM crashes WHERE id = @id',
);
const inherit = statement<Inherited>(`
  UPDATE crash_groups SET status = @status, note = @note, status_set_by = @status_set_by,
    status_set_at = @status_set_at, fixed_in_sha256 = @fixed_in_sha256,
    reopens_from = (SELECT reopens_from FROM crash_groups WHERE id = @fromId)
  WHERE id = @into AND status_set_at IS NULL`);

interface Met {
  firstMetAt: number;
  lastMetAt: number;
  hits: number;
}

interface Inherited {
  fromId: string;
  into: string;
  status: GroupStatusName;
  note: string;
  status_set_by: string;
  status_set_at: number;
  fixed_in_sha256: string | null;
}

/**
 * Counts a group anew after crashes came or went. One without crashes is merged into the
 * group that its oldest crash is in now, until some come back.
 *
 * @param keepStatus what people made of an emptied group goes to a group that nobody has
 *   looked at
 */
export function* settleGroup(groupId: string, keepStatus = false): Steps<void> {
  const rows = yield* all(members, { groupId });
  yield* run(forgetSources, { groupId });
  yield* run(forgetMet, { groupId });
  const [oldest] = rows;
  if (!oldest) {
    yield* close(yield* groupRow(groupId), keepStatus);
    return;
  }
  const shown = (yield* one(face, { id: oldest.id })) as Face;
  yield* run(fill, { ...figuresOf(groupId, rows), ...shown, frames: topFrames(shown.stack) });
  for (const job of distinct(rows, 'job_id')) yield* addSource(groupId, 'job', job);
  for (const build of distinct(rows, 'target_sha256')) yield* addSource(groupId, 'build', build);
  const bots = distinct(yield* all(sightings, { groupId }), 'bot_id');
  for (const bot of bots) yield* addSource(groupId, 'bot', bot);
  for (const [build, met] of metOf(rows)) yield* run(setMet, { groupId, build, ...met });
  yield* chooseReproducer(groupId);
}

function* close(group: CrashGroupRow, keepStatus: boolean): Steps<void> {
  const into = (yield* one(groupOf, { id: group.first_crash_id }))?.group_id ?? group.id;
  yield* run(empty, { groupId: group.id, into });
  const { status, note, status_set_by, status_set_at, fixed_in_sha256 } = group;
  if (!keepStatus || status_set_at === null) return;
  const judged = { status, note, status_set_by, status_set_at, fixed_in_sha256 };
  yield* run(inherit, { fromId: group.id, into, ...judged });
}

const figuresOf = (groupId: string, rows: readonly Member[]): Figures => ({
  groupId,
  count: rows.length,
  hits: rows.reduce((sum, { hits }) => sum + hits, 0),
  firstFoundAt: rows.reduce((time, row) => Math.min(time, row.found_at), Number.MAX_SAFE_INTEGER),
  lastFoundAt: rows.reduce((time, row) => Math.max(time, row.last_met_at), 0),
  firstCrashId: (rows[0] as Member).id,
});

function distinct<Row, Key extends keyof Row>(rows: readonly Row[], key: Key): Set<Row[Key]> {
  return new Set(rows.map((row) => row[key]));
}

function metOf(rows: readonly Member[]): Map<string, Met> {
  const byBuild = new Map<string, Met>();
  for (const { target_sha256: build, found_at, last_met_at, hits } of rows) {
    const met = byBuild.get(build) ?? { firstMetAt: found_at, lastMetAt: last_met_at, hits: 0 };
    byBuild.set(build, {
      firstMetAt: Math.min(met.firstMetAt, found_at),
      lastMetAt: Math.max(met.lastMetAt, last_met_at),
      hits: met.hits + hits,
    });
  }
  return byBuild;
}
