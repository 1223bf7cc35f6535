import { writeOperation } from '../../operation.js';
import { type ArtifactRow, artifactColumns } from '../../rows.js';
import { one, run, type Steps, statement } from '../../statement.js';
import { recordEvent } from '../events/record-event.js';

const insert = statement<ArtifactRow>(`
  INSERT INTO artifacts (sha256, kind, name, size_bytes, created_at, used_at)
  VALUES (@sha256, @kind, @name, @size_bytes, @created_at, @created_at)
  ON CONFLICT (sha256) DO NOTHING`);
const touch = statement<ArtifactRow>(
  'UPDATE artifacts SET used_at = @created_at WHERE sha256 = @sha256',
);
const select = statement<{ sha256: string }, ArtifactRow>(
  `SELECT ${artifactColumns} FROM artifacts WHERE sha256 = @sha256`,
);

/**
 * Records an artifact whose blob is on disk. The same bytes keep their first name, and count
 * as used at this time.
 */
export const putArtifact = writeOperation(
  'put_artifact',
  'work',
  function* (given: ArtifactRow): Steps<{ artifact: ArtifactRow; alreadyExisted: boolean }> {
    const added = (yield* run(insert, given)) === 1;
    if (added) {
      const { name, size_bytes } = given;
      yield* recordEvent(given.created_at, 'artifact.added', given.sha256, { name, size_bytes });
    } else {
      yield* run(touch, given);
    }
    const artifact = (yield* one(select, given)) as ArtifactRow;
    return { artifact, alreadyExisted: !added };
  },
);
