import { access } from 'node:fs/promises';
import type { Connection } from '../client/connect.js';
import { isNotFound } from '../client/failure.js';
import { downloadBlobFile } from '../client/transfer.js';
import { codeOf } from '../core/errors.js';
import { BlobFolder } from '../store/blobs.js';
import { sync } from './files.js';
import { fromFolder, type TakeFile } from './take-blobs.js';

/** Files of the master's blobs: its own folder where this is its machine, and over the line. */
export async function fromMaster(
  connection: Connection,
  held: { readonly directory: string; readonly mark: string },
  signal: AbortSignal,
): Promise<TakeFile> {
  const download = fromLine(connection, signal);
  const isHere = held.mark !== '' && (await canRead(held.mark));
  if (!isHere) return download;
  const link = fromFolder(new BlobFolder(held.directory));
  return async (name, to) => {
    const isTaken = await link(name, to).catch((error) => {
      if (codeOf(error) === 'EACCES') return false; // of another user
      throw error;
    });
    return isTaken || download(name, to);
  };
}

/** Files of the master's blobs, downloaded. */
export function fromLine(connection: Connection, signal: AbortSignal): TakeFile {
  return async (name, to) => {
    try {
      await downloadBlobFile(connection, name, to, { signal });
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
    await sync(to);
    return true;
  };
}

const canRead = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
