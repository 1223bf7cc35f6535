import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { codeOf, UserError } from '../core/errors.js';
import { dataError } from '../operator/exit-codes.js';
import { writeSynced } from './files.js';

/*
 * A backup is a folder with copies of a data folder's files, and a manifest that describes them:
 *
 *   backup.json     the manifest, written last
 *   pandafuzz.db    the copy of the database
 *   blobs/          as in the data folder
 */

export const databaseName = 'pandafuzz.db';
export const blobsName = 'blobs';
const manifestName = 'backup.json';

const bytesOf = { sizeBytes: z.number() };
const manifest = z.object({
  format: z.literal(1),
  isComplete: z.literal(true),
  /** ISO 8601. */
  madeAt: z.string(),
  /** Of the program that made it. */
  version: z.string(),
  database: z.object({ ...bytesOf, sha256: z.string(), schema: z.number(), epoch: z.number() }),
  /** All that the database refers to; `lost` of them could not be copied. */
  blobs: z.object({ ...bytesOf, count: z.number(), lost: z.number() }),
});

export type Manifest = z.infer<typeof manifest>;

/** Marks a folder as a backup that is being made. */
export const markUnfinished = (folder: string): Promise<void> =>
  write(folder, { format: 1, isComplete: false });

export const writeManifest = (folder: string, complete: Manifest): Promise<void> =>
  write(folder, complete);

const write = (folder: string, content: object): Promise<void> =>
  writeSynced(join(folder, manifestName), `${JSON.stringify(content, null, 2)}\n`);

/**
 * @returns undefined when the folder has none
 * @throws UserError for a backup that is not complete, or of another format
 */
export async function readManifest(folder: string): Promise<Manifest | undefined> {
  const path = join(folder, manifestName);
  let content: unknown;
  try {
    content = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    if (!(error instanceof SyntaxError)) throw error;
    throw new UserError(`${path} is damaged: it is no JSON`, dataError);
  }
  const read = manifest.safeParse(content);
  if (read.success) return read.data;
  const { format, isComplete } = Object(content);
  if (format === 1 && isComplete === false) {
    throw new UserError(
      `${folder} is a backup that did not finish: take another one; this one can be deleted`,
      dataError,
    );
  }
  throw new UserError(`${path} is no manifest of a backup that this version knows`, dataError);
}
