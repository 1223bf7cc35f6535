import type { PlacedCrash, StandingDecision } from '../../grouping.js';
import { all, type Steps, statement } from '../../statement.js';

interface Target {
  project: string;
  target_name: string;
}

interface Anchor {
  decision_id: string;
  crash_id: string;
  moved: 0 | 1;
}

const standing = statement<Target, { id: string; kind: 'merge' | 'split' }>(`
  SELECT id, kind FROM crash_decisions
  WHERE project = @project AND target_name = @target_name AND undone_at IS NULL ORDER BY id`);
const anchorsOf = statement<{ id: string }, Anchor>(`
  SELECT decision_id, crash_id, moved FROM crash_decision_anchors
  WHERE decision_id = @id ORDER BY crash_id`);
const ofGroup = statement<{ groupId: string }, PlacedCrash>(`
  SELECT id, group_id AS "groupId", signature, distinction FROM crashes
  WHERE group_id = @groupId ORDER BY id`);

/** The crashes of a group, the oldest first. */
export const placedIn = (groupId: string) => all(ofGroup, { groupId });

/** Decisions on a target that stand, the oldest first. */
export function* decisionsOn(target: Target): Steps<StandingDecision[]> {
  const decisions: StandingDecision[] = [];
  for (const { id, kind } of yield* all(standing, target)) {
    const anchors = yield* all(anchorsOf, { id });
    const of = (which: 0 | 1) =>
      anchors.flatMap(({ moved, crash_id }) => (moved === which ? [crash_id] : []));
    decisions.push({ id, kind, moved: of(1), stayed: of(0) });
  }
  return decisions;
}
