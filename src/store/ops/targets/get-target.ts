import { NotFoundError } from '../../../core/errors.js';
import { readOperation } from '../../operation.js';
import { type BuildRow, buildColumns, type TargetRow } from '../../rows.js';
import { all, one, type Steps, statement } from '../../statement.js';

interface Named {
  project: string;
  targetName: string;
  /** Most builds to return. */
  limit: number;
}

export interface TargetWithBuilds {
  target: TargetRow;
  /** Newest first. */
  builds: BuildRow[];
}

const target = statement<Named, TargetRow>(
  'SELECT project, name, builds FROM targets WHERE project = @project AND name = @targetName',
);
const newestBuilds = statement<Named, BuildRow>(`
  SELECT ${buildColumns} FROM builds WHERE project = @project AND target_name = @targetName
  ORDER BY sequence DESC LIMIT @limit`);

/** @throws NotFoundError */
export function* knownTarget(named: Named): Steps<TargetWithBuilds> {
  const found = yield* one(target, named);
  if (!found) throw new NotFoundError({ resource: 'target', id: named.targetName });
  return { target: found, builds: yield* all(newestBuilds, named) };
}

/** A target with its newest builds. @throws NotFoundError */
export const getTarget = readOperation('get_target', knownTarget);
