import { readOperation } from '../../operation.js';
import { type ArtifactRow, artifactColumns } from '../../rows.js';
import { one, statement } from '../../statement.js';

const select = statement<{ sha256: string }, ArtifactRow>(
  `SELECT ${artifactColumns} FROM artifacts WHERE sha256 = @sha256`,
);

export const getArtifact = readOperation('get_artifact', (sha256: string) =>
  one(select, { sha256 }),
);
