import { PreconditionError } from '../../../core/errors.js';
import type { CrashDecisionRow, CrashGroupRow } from '../../crash-rows.js';
import { writeOperation } from '../../operation.js';
import { run, type Steps, statement } from '../../statement.js';
import { anchorStayed, findDecision, recordDecision } from './decisions.js';
import { groupRow, liveGroup } from './group-rows.js';
import { decisionsOn, placedIn } from './placements.js';
import { settleGroup } from './settle-group.js';

interface Move {
  from: string;
  into: string;
}

export interface MergeGroups {
  /** A new id for the decision on each group that goes. */
  groups: readonly { groupId: string; decisionId: string }[];
  intoGroupId: string;
  by: string;
  now: number;
}

const anchors = statement<{ decisionId: string; groupId: string }>(`
  INSERT INTO crash_decision_anchors (decision_id, crash_id, moved)
  SELECT @decisionId, id, 1 FROM crashes WHERE group_id = @groupId`);
const crashes = statement<Move>('UPDATE crashes SET group_id = @into WHERE group_id = @from');
const signatures = statement<Move>(
  'UPDATE crash_signatures SET group_id = @into WHERE group_id = @from',
);
const distinctions = statement<Move>(
  'UPDATE crash_distinctions SET group_id = @into WHERE group_id = @from',
);

/**
 * Moves all crashes of some groups into another of the same target, and with them what
 * leads later crashes there.
 *
 * @throws NotFoundError, PreconditionError MERGED, OTHER_TARGET
 */
export const mergeGroups = writeOperation(
  'merge_crash_groups',
  'work',
  function* (input: MergeGroups): Steps<{ group: CrashGroupRow; decisions: CrashDecisionRow[] }> {
    const { intoGroupId: into, by, now } = input;
    const target = yield* liveGroup(into);
    const standsForTarget = yield* oldestOwn(target);
    const decisions: CrashDecisionRow[] = [];
    for (const { groupId: from, decisionId } of input.groups) {
      const group = yield* liveGroup(from);
      if (group.project !== target.project || group.target_name !== target.target_name) {
        const why = 'groups of different targets cannot be one';
        throw new PreconditionError({ reason: 'OTHER_TARGET', why });
      }
      const { project, target_name, count } = group;
      yield* recordDecision({
        id: decisionId,
        kind: 'merge',
        project,
        target_name,
        crashes: count,
        group_id: from,
        to_group_id: into,
        decided_by: by,
        decided_at: now,
      });
      yield* run(anchors, { decisionId, groupId: from });
      yield* anchorStayed(decisionId, standsForTarget);
      yield* run(crashes, { from, into });
      yield* run(signatures, { from, into });
      yield* run(distinctions, { from, into });
      yield* settleGroup(from);
      decisions.push((yield* findDecision(decisionId)) as CrashDecisionRow);
    }
    yield* settleGroup(into);
    return { group: yield* groupRow(into), decisions };
  },
);

/**
 * The crash that stands for a group: its oldest that no standing merge has brought. One that was
 * brought leaves again when its merge is undone, and what came later would leave with it.
 */
function* oldestOwn({ id, project, target_name, first_crash_id }: CrashGroupRow): Steps<string> {
  const brought = new Set<string>();
  for (const { kind, moved } of yield* decisionsOn({ project, target_name })) {
    if (kind === 'merge') for (const crashId of moved) brought.add(crashId);
  }
  const own = (yield* placedIn(id)).find((crash) => !brought.has(crash.id));
  return own?.id ?? first_crash_id;
}
