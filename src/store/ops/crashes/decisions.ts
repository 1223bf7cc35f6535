import { type CrashDecisionRow, crashDecisionColumns } from '../../crash-rows.js';
import { one, run, type Steps, statement } from '../../statement.js';
import { recordEvent } from '../events/record-event.js';

/** What is decided, and by whom. */
export type NewDecision = Omit<CrashDecisionRow, 'undone_at'>;

const insert = statement<NewDecision>(`
  INSERT INTO crash_decisions (id, kind, project, target_name, group_id, to_group_id, crashes,
    decided_by, decided_at)
  VALUES (@id, @kind, @project, @target_name, @group_id, @to_group_id, @crashes, @decided_by,
    @decided_at)`);
const select = statement<{ id: string }, CrashDecisionRow>(
  `SELECT ${crashDecisionColumns} FROM crash_decisions WHERE id = @id`,
);
const anchor = statement<{ decisionId: string; crashId: string; moved: 0 | 1 }>(`
  INSERT INTO crash_decision_anchors (decision_id, crash_id, moved)
  VALUES (@decisionId, @crashId, @moved)`);

/** Writes down a decision, with its event, before it is carried out. */
export function* recordDecision(decision: NewDecision): Steps<void> {
  yield* run(insert, decision);
  const { id, kind, group_id, to_group_id: toGroupId, decided_by: by, decided_at } = decision;
  const event = kind === 'merge' ? 'crash_group.merged' : 'crash_group.split';
  yield* recordEvent(decided_at, event, group_id, { decisionId: id, toGroupId, by });
}

export const findDecision = (id: string) => one(select, { id });

/** Notes a crash that went by a decision. */
export const anchorMoved = (decisionId: string, crashId: string) =>
  run(anchor, { decisionId, crashId, moved: 1 });

/** Notes a crash that stands for the group to which others came. */
export const anchorStayed = (decisionId: string, crashId: string) =>
  run(anchor, { decisionId, crashId, moved: 0 });
