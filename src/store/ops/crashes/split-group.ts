import { PreconditionError } from '../../../core/errors.js';
import type { CrashDecisionRow, CrashGroupRow } from '../../crash-rows.js';
import { writeOperation } from '../../operation.js';
import { one, run, type Steps, statement } from '../../statement.js';
import { anchorMoved, findDecision, recordDecision } from './decisions.js';
import { groupRow, liveGroup } from './group-rows.js';
import { newGroup } from './new-group.js';
import { settleGroup } from './settle-group.js';

export interface SplitGroup {
  groupId: string;
  /** Each once. */
  crashIds: readonly string[];
  newGroupId: string;
  decisionId: string;
  by: string;
  now: number;
}

interface Leaving {
  id: string;
  group_id: string;
  distinction: string;
  kind: string;
  message: string;
  topFrame: string;
  security: 0 | 1;
  stack: string;
}

const select = statement<{ id: string }, Leaving>(`
  SELECT id, group_id, distinction, kind, message, top_frame AS "topFrame", security, stack
  FROM crashes WHERE id = @id`);
const move = statement<{ id: string; groupId: string }>(
  'UPDATE crashes SET group_id = @groupId WHERE id = @id',
);
const lead = statement<{
  project: string;
  target_name: string;
  distinction: string;
  groupId: string;
  decisionId: string;
}>(`
  INSERT INTO crash_distinctions (project, target_name, distinction, group_id, decision_id)
  VALUES (@project, @target_name, @distinction, @groupId, @decisionId)
  ON CONFLICT (project, target_name, distinction) DO UPDATE SET
    group_id = excluded.group_id, decision_id = excluded.decision_id`);

/**
 * Moves some crashes of a group into a new one. Later crashes that are told apart from
 * them by nothing follow them.
 *
 * @throws NotFoundError, PreconditionError MERGED, NOT_IN_GROUP, WHOLE_GROUP
 */
export const splitGroup = writeOperation(
  'split_crash_group',
  'work',
  function* (input: SplitGroup): Steps<{ group: CrashGroupRow; decision: CrashDecisionRow }> {
    const { groupId, newGroupId, decisionId, now } = input;
    const group = yield* liveGroup(groupId);
    const leaving = yield* membersOf(group, input.crashIds);
    const [first] = leaving as [Leaving];
    const { project, target_name } = group;
    yield* newGroup(newGroupId, { ...first, project, target_name, crashId: first.id, now });
    yield* recordDecision({
      id: decisionId,
      kind: 'split',
      project,
      target_name,
      crashes: leaving.length,
      group_id: groupId,
      to_group_id: newGroupId,
      decided_by: input.by,
      decided_at: now,
    });
    for (const { id, distinction } of leaving) {
      yield* run(move, { id, groupId: newGroupId });
      yield* anchorMoved(decisionId, id);
      const key = { project, target_name, distinction, groupId: newGroupId, decisionId };
      if (distinction !== '') yield* run(lead, key);
    }
    yield* settleGroup(groupId);
    yield* settleGroup(newGroupId);
    const decision = (yield* findDecision(decisionId)) as CrashDecisionRow;
    return { group: yield* groupRow(newGroupId), decision };
  },
);

function* membersOf(group: CrashGroupRow, crashIds: readonly string[]): Steps<Leaving[]> {
  const members: Leaving[] = [];
  for (const id of crashIds) {
    const crash = yield* one(select, { id });
    if (crash?.group_id !== group.id) {
      const why = 'not all of these crashes are in this group';
      throw new PreconditionError({ reason: 'NOT_IN_GROUP', why });
    }
    members.push(crash);
  }
  if (members.length === group.count) {
    const why = 'these are all crashes of the group: there would be nothing left to split from';
    throw new PreconditionError({ reason: 'WHOLE_GROUP', why });
  }
  return members;
}
