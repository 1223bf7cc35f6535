import { pageOperation } from '../../operation.js';
import { type BuildRow, buildColumns, type TargetRow } from '../../rows.js';
import { one, page, type Steps, statement } from '../../statement.js';

/** A page begins after a target; the empty names are before all. */
export interface TargetsPage {
  afterProject: string;
  afterName: string;
  /** Of this project alone; empty: of all. */
  project: string;
  limit: number;
}

export interface ListedTarget extends TargetRow {
  newest: BuildRow | undefined;
}

const ofAll = statement<TargetsPage, TargetRow>(`
  SELECT project, name, builds FROM targets
  WHERE (project, name) > (@afterProject, @afterName)
  ORDER BY project, name LIMIT @limit`);
const ofOne = statement<TargetsPage, TargetRow>(`
  SELECT project, name, builds FROM targets
  WHERE project = @project AND name > @afterName ORDER BY name LIMIT @limit`);
const newest = statement<{ project: string; name: string }, BuildRow>(`
  SELECT ${buildColumns} FROM builds WHERE project = @project AND target_name = @name
  ORDER BY sequence DESC LIMIT 1`);

/** Targets by project and name, each with its newest build. */
export const listTargets = pageOperation('list_targets', function* (keys: TargetsPage): Steps<
  ListedTarget[]
> {
  const rows = yield* page(keys.project === '' ? ofAll : ofOne, keys);
  const listed: ListedTarget[] = [];
  for (const row of rows) listed.push({ ...row, newest: yield* one(newest, row) });
  return listed;
});
