import { readOperation } from '../../operation.js';
import type { ArtifactRow } from '../../rows.js';
import { one, statement } from '../../statement.js';

const select = statement<{ sha256: string }, ArtifactRow>(`
  SELECT artifacts.sha256, kind, name, size_bytes, created_at
  FROM artifacts JOIN artifact_uses ON artifact_uses.sha256 = artifacts.sha256
  WHERE artifacts.sha256 = @sha256 ORDER BY named_at DESC LIMIT 1`);

/** An artifact as what it was uploaded as last. */
export const getArtifact = readOperation('get_artifact', (sha256: string) =>
  one(select, { sha256 }),
);
