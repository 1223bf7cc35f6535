import { NotFoundError } from '../../../core/errors.js';
import type { ArtifactKindName } from '../../rows.js';
import { one, type Steps, statement } from '../../statement.js';

/** Artifacts that a job or a build is made of. */
export interface ArtifactsOfJob {
  targetSha256: string;
  seedsSha256: string | null;
  dictionarySha256: string | null;
}

const program = statement<{ sha256: string }, { name: string }>(`
  SELECT name FROM artifact_uses
  WHERE sha256 = @sha256 AND kind <> 'seeds' AND kind <> 'dictionary'
  ORDER BY named_at DESC LIMIT 1`);
const isUsedAs = statement<{ sha256: string; kind: ArtifactKindName }, unknown>(
  'SELECT 1 FROM artifact_uses WHERE sha256 = @sha256 AND kind = @kind',
);

/** The name of an executable or a bundle; undefined when none was uploaded. */
export function* programName(sha256: string): Steps<string | undefined> {
  return (yield* one(program, { sha256 }))?.name;
}

/**
 * @returns the target's name in its newest upload
 * @throws NotFoundError for an artifact that was not uploaded as what it is to be
 */
export function* expectArtifacts(wanted: ArtifactsOfJob): Steps<string> {
  const { targetSha256, seedsSha256, dictionarySha256 } = wanted;
  const name = yield* programName(targetSha256);
  if (name === undefined) throw new NotFoundError({ resource: 'target', id: targetSha256 });
  yield* expectUse(seedsSha256, 'seeds', 'seed archive');
  yield* expectUse(dictionarySha256, 'dictionary', 'dictionary');
  return name;
}

function* expectUse(sha256: string | null, kind: ArtifactKindName, resource: string): Steps<void> {
  if (sha256 === null || (yield* one(isUsedAs, { sha256, kind }))) return;
  throw new NotFoundError({ resource, id: sha256 });
}
