import type { Connection } from '../../client/connect.js';
import { uploadArtifact } from '../../client/transfer.js';
import { UserError } from '../../core/errors.js';
import type { ArtifactKind } from '../../gen/pandafuzz/v1/artifact.js';
import { withProgress } from '../progress.js';

/** Uploads a file, unless the master has it; returns its SHA-256. */
export type UploadFile = (
  kind: ArtifactKind,
  file: { readonly path: string; readonly name: string },
  /** For the bar that shows how far it is. */
  what: string,
) => Promise<string>;

export const uploader =
  (connection: Connection, { signal }: { signal?: AbortSignal }): UploadFile =>
  async (kind, file, what) => {
    const { artifact } = await withProgress(what, (onProgress, onTrouble) => {
      const options = { onProgress, onTrouble, ...(signal && { signal }) };
      return uploadArtifact(connection, { ...file, kind }, options);
    });
    if (!artifact) throw new UserError('the master sent no artifact');
    return artifact.sha256;
  };
