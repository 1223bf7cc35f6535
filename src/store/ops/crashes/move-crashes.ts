import { writeOperation } from '../../operation.js';
import { one, run, type Steps, statement } from '../../statement.js';
import { type NewGroup, newGroup } from './new-group.js';
import { settleGroup } from './settle-group.js';

interface Key {
  project: string;
  target_name: string;
  groupId: string;
}

const move = statement<{ id: string; groupId: string }>(
  'UPDATE crashes SET group_id = @groupId WHERE id = @id',
);
const signatureRow = statement<Key & { signature: string }>(`
  INSERT INTO crash_signatures (project, target_name, signature, group_id)
  VALUES (@project, @target_name, @signature, @groupId)
  ON CONFLICT (project, target_name, signature) DO UPDATE SET group_id = excluded.group_id`);
const distinctionRow = statement<Key & { distinction: string; decisionId: string }>(`
  INSERT INTO crash_distinctions (project, target_name, distinction, group_id, decision_id)
  VALUES (@project, @target_name, @distinction, @groupId, @decisionId)
  ON CONFLICT (project, target_name, distinction) DO UPDATE SET
    group_id = excluded.group_id, decision_id = excluded.decision_id`);
const exists = statement<{ id: string }, { id: string }>(
  'SELECT id FROM crash_groups WHERE id = @id',
);
const face = statement<{ crashId: string }, Omit<NewGroup, 'crashId' | 'now'>>(`
  SELECT project, target_name, kind, message, top_frame AS "topFrame", security, stack
  FROM crashes WHERE id = @crashId`);

export const moveCrash = (id: string, groupId: string) => run(move, { id, groupId });

/** Leads later crashes of this signature to the group. */
export const setSignature = (row: Key & { signature: string }) => run(signatureRow, row);

/** Leads later crashes of this distinction to the group, as a split decided. */
export const setDistinction = (row: Key & { distinction: string; decisionId: string }) =>
  run(distinctionRow, row);

/** A part of a regrouping that is carried out at once. */
export interface MoveCrashes {
  project: string;
  targetName: string;
  /** Crashes with the groups that they leave and come to; one that does not exist is made. */
  moves: readonly { crashId: string; from: string; to: string }[];
  signatures: readonly { signature: string; groupId: string }[];
  distinctions: readonly { distinction: string; groupId: string; decisionId: string }[];
  now: number;
}

/** Moves crashes to the groups that are theirs now, and counts those groups anew. */
export const moveCrashes = writeOperation(
  'move_crashes',
  'upkeep',
  function* (input: MoveCrashes): Steps<void> {
    const key = { project: input.project, target_name: input.targetName };
    const changed = new Set<string>();
    for (const { crashId, from, to } of input.moves) {
      if (!(yield* one(exists, { id: to }))) yield* makeGroup(to, crashId, input.now);
      yield* moveCrash(crashId, to);
      changed.add(from).add(to);
    }
    for (const row of input.signatures) yield* setSignature({ ...key, ...row });
    for (const row of input.distinctions) yield* setDistinction({ ...key, ...row });
    for (const groupId of [...changed].sort()) yield* settleGroup(groupId, true);
  },
);

function* makeGroup(groupId: string, crashId: string, now: number): Steps<void> {
  const first = yield* one(face, { crashId });
  if (first) yield* newGroup(groupId, { ...first, crashId, now });
}
