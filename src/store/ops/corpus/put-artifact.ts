import { writeOperation } from '../../operation.js';
import type { ArtifactRow } from '../../rows.js';
import { one, run, type Steps, statement } from '../../statement.js';
import { expectWithin, type Quota } from '../../within-quota.js';
import { recordEvent } from '../events/record-event.js';

const insert = statement<ArtifactRow>(`
  INSERT INTO artifacts (sha256, size_bytes, created_at, used_at)
  VALUES (@sha256, @size_bytes, @created_at, @created_at)
  ON CONFLICT (sha256) DO NOTHING`);
const touch = statement<ArtifactRow>(
  'UPDATE artifacts SET used_at = @created_at WHERE sha256 = @sha256',
);
const use = statement<ArtifactRow>(`
  INSERT INTO artifact_uses (sha256, kind, name, named_at)
  VALUES (@sha256, @kind, @name, @created_at)
  ON CONFLICT (sha256, kind) DO UPDATE SET name = excluded.name, named_at = excluded.named_at`);
const known = statement<{ sha256: string }, { created_at: number }>(
  'SELECT created_at FROM artifacts WHERE sha256 = @sha256',
);

/**
 * Records an artifact whose blob is on disk, as what it was uploaded as now. The same bytes
 * may be several things; of names the newest counts. They count as used at this time.
 */
export const putArtifact = writeOperation(
  'put_artifact',
  'work',
  function* ({
    quota,
    ...given
  }: ArtifactRow & { quota?: Quota }): Steps<{ artifact: ArtifactRow; alreadyExisted: boolean }> {
    const added = (yield* run(insert, given)) === 1;
    if (added) {
      if (quota) yield* expectWithin('artifacts', quota);
      const { name, size_bytes } = given;
      yield* recordEvent(given.created_at, 'artifact.added', given.sha256, { name, size_bytes });
    } else {
      yield* run(touch, given);
    }
    yield* run(use, given);
    const createdAt = (yield* one(known, given))?.created_at ?? given.created_at;
    return { artifact: { ...given, created_at: createdAt }, alreadyExisted: !added };
  },
);
