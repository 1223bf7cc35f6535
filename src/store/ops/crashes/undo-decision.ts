import { NotFoundError, PreconditionError } from '../../../core/errors.js';
import type { CrashDecisionRow } from '../../crash-rows.js';
import { type PlacedCrash, type StandingDecision, unitsOf } from '../../grouping.js';
import { writeOperation } from '../../operation.js';
import { all, one, run, type Steps, statement } from '../../statement.js';
import { recordEvent } from '../events/record-event.js';
import { findDecision } from './decisions.js';
import { moveCrash, setDistinction, setSignature } from './move-crashes.js';
import { decisionsOn, placedIn } from './placements.js';
import { settleGroup } from './settle-group.js';

export interface UndoDecision {
  id: string;
  by: string;
  now: number;
}

const later = (where: string) =>
  statement<{ groupId: string; id: string }, { id: string; kind: 'merge' | 'split' }>(`
    SELECT id, kind FROM crash_decisions
    WHERE ${where} AND id > @id AND undone_at IS NULL ORDER BY id DESC LIMIT 1`);
const wentFrom = later('group_id = @groupId');
const cameTo = later('to_group_id = @groupId');
const mergedFrom = later("group_id = @groupId AND kind = 'merge'");
const mark = statement<UndoDecision>(`
  UPDATE crash_decisions SET undone_at = @now, undone_by = @by
  WHERE id = @id AND undone_at IS NULL`);
const anchors = statement<{ id: string }, { crash_id: string; moved: 0 | 1 }>(
  'SELECT crash_id, moved FROM crash_decision_anchors WHERE decision_id = @id ORDER BY crash_id',
);
const placeOf = statement<{ id: string }, { groupId: string; distinction: string }>(
  'SELECT group_id AS "groupId", distinction FROM crashes WHERE id = @id',
);
const forgetDistinctions = statement<{ id: string }>(
  'DELETE FROM crash_distinctions WHERE decision_id = @id',
);

/**
 * Undoes a merge or a split: what it moved goes back, and with it what came later and
 * followed it.
 *
 * @throws NotFoundError, PreconditionError UNDONE, LATER_DECISION
 */
export const undoDecision = writeOperation(
  'undo_crash_decision',
  'work',
  function* (input: UndoDecision): Steps<CrashDecisionRow> {
    const { id, by, now } = input;
    const decision = yield* findDecision(id);
    if (!decision) throw new NotFoundError({ resource: 'decision', id });
    if ((yield* run(mark, input)) === 0) {
      throw new PreconditionError({ reason: 'UNDONE', why: 'this decision is undone already' });
    }
    yield* expectLast(decision);
    if (decision.kind === 'split') yield* joinAgain(decision);
    else yield* partAgain(decision);
    yield* settleGroup(decision.group_id);
    yield* settleGroup(decision.to_group_id);
    yield* recordEvent(now, 'crash_decision.undone', id, { by });
    return (yield* findDecision(id)) as CrashDecisionRow;
  },
);

/** Decisions that are about other crashes of the same groups may stand. */
function* expectLast({ id, kind, group_id, to_group_id }: CrashDecisionRow): Steps<void> {
  const come = { groupId: to_group_id, id };
  const further = yield* one(wentFrom, come);
  if (further) throw standsInTheWay(to_group_id, further);
  const joined = kind === 'split' ? yield* one(cameTo, come) : undefined;
  if (joined) throw standsInTheWay(to_group_id, joined, 'had another merged into it');
  const gone = yield* one(mergedFrom, { groupId: group_id, id });
  if (gone) throw standsInTheWay(group_id, gone);
}

function standsInTheWay(
  groupId: string,
  { id, kind }: { id: string; kind: 'merge' | 'split' },
  happened = kind === 'split' ? 'was split' : 'was merged into another',
): PreconditionError {
  const why = `group ${groupId} ${happened} later on by decision ${id}: undo that one first`;
  return new PreconditionError({ reason: 'LATER_DECISION', why });
}

/**
 * After a split: what is in the new group goes back, or to an earlier split that still
 * stands and would have taken it. Later crashes are led as before.
 */
function* joinAgain(decision: CrashDecisionRow): Steps<void> {
  const { id, project, target_name, group_id, to_group_id } = decision;
  yield* run(forgetDistinctions, { id });
  const back = (yield* placedIn(to_group_id)).map((crash) => ({ ...crash, groupId: group_id }));
  const told = new Set(back.flatMap(({ distinction }) => distinction || []));
  const decisions = yield* decisionsOn({ project, target_name });
  const others: PlacedCrash[] = [];
  for (const groupId of yield* takersOf(told, decisions, [group_id, to_group_id])) {
    others.push(...(yield* placedIn(groupId)));
  }
  const crashes = [...back, ...(yield* placedIn(group_id)), ...others];
  const isBack = new Set(back.map((crash) => crash.id));
  for (const unit of unitsOf(crashes.sort(byAge), decisions)) {
    const groupId = unit.groupId ?? group_id;
    for (const crash of unit.crashes) if (isBack.has(crash.id)) yield* moveCrash(crash.id, groupId);
    const key = { project, target_name, groupId };
    for (const [distinction, decisionId] of unit.distinctions)
      if (told.has(distinction)) yield* setDistinction({ ...key, distinction, decisionId });
    if (groupId !== group_id) yield* settleGroup(groupId);
  }
}

const byAge = (a: PlacedCrash, b: PlacedCrash) => (a.id < b.id ? -1 : 1);

/** Groups, besides the known ones, of crashes by which a standing split takes one of these distinctions. */
function* takersOf(
  distinctions: ReadonlySet<string>,
  decisions: readonly StandingDecision[],
  known: readonly string[],
): Steps<Set<string>> {
  const groups = new Set<string>();
  for (const { kind, moved } of decisions) {
    if (kind !== 'split') continue;
    for (const id of moved) {
      const crash = yield* one(placeOf, { id });
      if (crash && distinctions.has(crash.distinction)) groups.add(crash.groupId);
    }
  }
  for (const groupId of known) groups.delete(groupId);
  return groups;
}

/**
 * After a merge: what belongs together without it, and has none of the crashes that were
 * there before, goes back.
 */
function* partAgain(decision: CrashDecisionRow): Steps<void> {
  const { id, project, target_name, group_id, to_group_id } = decision;
  const went = new Set<string>();
  const stayed = new Set<string>();
  for (const { crash_id, moved } of yield* all(anchors, { id })) {
    (moved === 1 ? went : stayed).add(crash_id);
  }
  const decisions = yield* decisionsOn({ project, target_name });
  for (const unit of unitsOf(yield* placedIn(to_group_id), decisions)) {
    const isBack = unit.crashes.some((crash) => went.has(crash.id));
    if (!isBack || unit.crashes.some((crash) => stayed.has(crash.id))) continue;
    for (const crash of unit.crashes) yield* moveCrash(crash.id, group_id);
    const key = { project, target_name, groupId: group_id };
    for (const signature of unit.signatures) yield* setSignature({ ...key, signature });
    for (const [distinction, decisionId] of unit.distinctions) {
      yield* setDistinction({ ...key, distinction, decisionId });
    }
  }
}
