import { one, run, type Step, type Steps, statement } from '../../statement.js';
import { standInFor } from './group-rows.js';

/** What decides to which group of a target a crash comes. */
export interface GroupKey {
  project: string;
  target_name: string;
  signature: string;
  distinction: string;
}

const byDistinction = statement<GroupKey, { group_id: string }>(`
  SELECT group_id FROM crash_distinctions
  WHERE project = @project AND target_name = @target_name AND distinction = @distinction`);
const bySignature = statement<GroupKey, { group_id: string }>(`
  SELECT group_id FROM crash_signatures
  WHERE project = @project AND target_name = @target_name AND signature = @signature`);
/** Of two transactions that meet a signature at the same time, the second gets the first's group. */
const claim = statement<GroupKey & { newGroupId: string }, { group_id: string }>(`
  INSERT INTO crash_signatures (project, target_name, signature, group_id)
  VALUES (@project, @target_name, @signature, @newGroupId)
  ON CONFLICT (project, target_name, signature) DO UPDATE SET group_id = crash_signatures.group_id
  RETURNING group_id`);
const insert = statement<NewGroup & { groupId: string; topFrames: string }>(`
  INSERT INTO crash_groups (id, project, target_name, kind, message, top_frame, security, count,
    hits, jobs, bots, builds, first_found_at, last_found_at, first_crash_id, reproducer_crash_id,
    status, note, status_set_by, frames)
  VALUES (@groupId, @project, @target_name, @kind, @message, @topFrame, @security, 0,
    0, 0, 0, 0, @now, @now, @crashId, @crashId, 'new', '', '', @topFrames)`);

/** Of the first crash of a group. */
export interface NewGroup {
  project: string;
  target_name: string;
  kind: string;
  message: string;
  topFrame: string;
  security: 0 | 1;
  stack: string;
  crashId: string;
  now: number;
}

/** The group of a crash; `newGroupId` when it is the first of its signature. */
export function* groupFor(key: GroupKey, newGroupId: string): Steps<string> {
  const decided = key.distinction === '' ? undefined : yield* one(byDistinction, key);
  const known = decided ?? (yield* one(bySignature, key));
  if (known) return yield* standInFor(known.group_id);
  const claimed = (yield* one(claim, { ...key, newGroupId })) as { group_id: string };
  return claimed.group_id;
}

/** Makes a group, without counting its first crash. */
export const newGroup = (groupId: string, first: NewGroup): Step<number> =>
  run(insert, { ...first, groupId, topFrames: topFrames(first.stack) });

/** Innermost own frames that a group shows. */
const shownFrames = 3;

/** Of a stack as it is stored, the frames that a group shows, as they are stored. */
export function topFrames(stack: string): string {
  const frames = JSON.parse(stack) as { own?: boolean }[];
  const own = frames.filter((frame) => frame.own);
  return JSON.stringify((own.length > 0 ? own : frames).slice(0, shownFrames));
}
