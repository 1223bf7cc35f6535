import type { PlacedCrash, StandingDecision } from '../../grouping.js';
import { pageOperation, readOperation } from '../../operation.js';
import { all, one, type Steps, statement } from '../../statement.js';
import { decisionsOn } from './placements.js';

/** A target as crashes name it. */
export interface CrashTarget {
  project: string;
  targetName: string;
}

/** A crash of a target, as far as regrouping needs it without its report. */
export interface RegroupedCrash extends PlacedCrash {
  readonly signatureVersion: number;
}

const afterTarget = statement<CrashTarget, CrashTarget>(`
  SELECT project, target_name AS "targetName" FROM crashes
  WHERE (project, target_name) > (@project, @targetName)
  ORDER BY project, target_name LIMIT 1`);
const crashes = statement<CrashTarget & { afterId: string; limit: number }, RegroupedCrash>(`
  SELECT id, group_id AS "groupId", signature, distinction,
    signature_version AS "signatureVersion"
  FROM crashes
  WHERE project = @project AND target_name = @targetName AND id > @afterId
  ORDER BY id LIMIT @limit`);
const report = statement<{ id: string }, { report: string }>(
  'SELECT report FROM crashes WHERE id = @id',
);
const stale = statement<{ version: number }, { id: string }>(
  'SELECT id FROM crashes WHERE signature_version < @version LIMIT 1',
);

/** The next target that has crashes, in the order of projects and names. */
export const nextTarget = readOperation('next_crash_target', (after: CrashTarget) =>
  one(afterTarget, after),
);

/** The crashes of a target after `afterId`, the oldest first. */
export const targetCrashes = pageOperation(
  'list_target_crashes',
  (input: CrashTarget & { afterId: string; limit: number }) => all(crashes, input),
);

/** The decisions on a target that stand. */
export const targetDecisions = pageOperation(
  'list_target_decisions',
  function* ({ project, targetName }: CrashTarget): Steps<StandingDecision[]> {
    return yield* decisionsOn({ project, target_name: targetName });
  },
);

/** The reports of some crashes, in their order. */
export const crashReports = pageOperation(
  'list_crash_reports',
  function* (ids: readonly string[]): Steps<string[]> {
    const reports: string[] = [];
    for (const id of ids) reports.push((yield* one(report, { id }))?.report ?? '');
    return reports;
  },
);

/** Whether there are crashes that an older version of the reader has read. */
export const hasStaleCrashes = readOperation(
  'has_stale_crashes',
  function* (version: number): Steps<boolean> {
    return (yield* one(stale, { version })) !== undefined;
  },
);
