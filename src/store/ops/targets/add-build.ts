import { QuotaError } from '../../../core/errors.js';
import { one, run, type Steps, statement } from '../../statement.js';

/** A build to be the newest of its target. */
export interface NewBuild {
  project: string;
  targetName: string;
  engine: string;
  targetSha256: string;
  executable: string;
  seedsSha256: string | null;
  dictionarySha256: string | null;
  now: number;
}

/** Builds of one target that are kept. */
export const mostBuilds = 100;
/** Targets of one project. */
const mostTargets = 10_000;

interface Key {
  project: string;
  targetName: string;
}

const target = statement<Key, { builds: number }>(
  'SELECT builds FROM targets WHERE project = @project AND name = @targetName',
);
const isFull = statement<{ project: string; most: number }, unknown>(`
  SELECT 1 FROM targets WHERE project = @project ORDER BY name LIMIT 1 OFFSET @most`);
const addTarget = statement<Key>(`
  INSERT INTO targets (project, name, builds) VALUES (@project, @targetName, 0)
  ON CONFLICT DO NOTHING`);
const newest = statement<Key, { sequence: number }>(`
  SELECT sequence FROM builds WHERE project = @project AND target_name = @targetName
  ORDER BY sequence DESC LIMIT 1`);
const remove = statement<NewBuild>(`
  DELETE FROM builds WHERE project = @project AND target_name = @targetName
    AND engine = @engine AND target_sha256 = @targetSha256 AND executable = @executable`);
const add = statement<NewBuild & { sequence: number }>(`
  INSERT INTO builds (project, target_name, engine, target_sha256, executable, seeds_sha256,
    dictionary_sha256, sequence, registered_at)
  VALUES (@project, @targetName, @engine, @targetSha256, @executable, @seedsSha256,
    @dictionarySha256, @sequence, @now)`);
const oldest = statement<Key, { sequence: number }>(`
  SELECT sequence FROM builds WHERE project = @project AND target_name = @targetName
  ORDER BY sequence LIMIT 1`);
const removeOldest = statement<Key & { sequence: number }>(`
  DELETE FROM builds
  WHERE project = @project AND target_name = @targetName AND sequence = @sequence`);
const setCount = statement<Key & { builds: number }>(
  'UPDATE targets SET builds = @builds WHERE project = @project AND name = @targetName',
);

/**
 * Makes a build the newest of its target, and forgets the oldest one beyond `mostBuilds`.
 *
 * @returns whether there is room: not for one target more of a project that has very many
 */
export function* addBuild(build: NewBuild): Steps<boolean> {
  const known = yield* one(target, build);
  if (!known) {
    const { project } = build;
    if (yield* one(isFull, { project, most: mostTargets - 1 })) return false;
    yield* run(addTarget, build);
  }
  const replaced = yield* run(remove, build);
  const sequence = ((yield* one(newest, build))?.sequence ?? 0) + 1;
  yield* run(add, { ...build, sequence });
  const builds = (known?.builds ?? 0) + 1 - replaced;
  yield* run(setCount, { ...build, builds: Math.min(builds, mostBuilds) });
  if (builds <= mostBuilds) return true;
  const last = yield* one(oldest, build);
  if (last) yield* run(removeOldest, { ...build, ...last });
  return true;
}

export const tooManyTargets = () =>
  new QuotaError({
    subject: 'targets',
    why: `a project may have at most ${mostTargets} targets: use another project (--project)`,
  });
