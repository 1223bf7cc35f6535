import { readOperation } from '../../operation.js';
import type { ArtifactRow } from '../../rows.js';

export const getArtifact = readOperation('get_artifact', (db) => {
  const select = db.prepare<[string], ArtifactRow>('SELECT * FROM artifacts WHERE sha256 = ?');
  return (sha256: string): ArtifactRow | undefined => select.get(sha256);
});
