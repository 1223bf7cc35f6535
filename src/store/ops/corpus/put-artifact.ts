import { writeOperation } from '../../operation.js';
import type { ArtifactRow } from '../../rows.js';
import { eventRecorder } from '../events/record-event.js';

/** Makes an artifact known whose blob is on disk. The same bytes keep their first name. */
export const putArtifact = writeOperation('put_artifact', 'work', (db) => {
  const insert = db.prepare<[object]>(`
      INSERT INTO artifacts (sha256, kind, name, size_bytes, created_at)
      VALUES (@sha256, @kind, @name, @size_bytes, @created_at)
      ON CONFLICT (sha256) DO NOTHING`);
  const select = db.prepare<[string], ArtifactRow>('SELECT * FROM artifacts WHERE sha256 = ?');
  const recordEvent = eventRecorder(db);
  return (artifact: ArtifactRow): { artifact: ArtifactRow; alreadyExisted: boolean } => {
    const added = insert.run(artifact).changes === 1;
    if (added) {
      const { name, size_bytes } = artifact;
      recordEvent(artifact.created_at, 'artifact.added', artifact.sha256, { name, size_bytes });
    }
    return { artifact: select.get(artifact.sha256) as ArtifactRow, alreadyExisted: !added };
  };
});
