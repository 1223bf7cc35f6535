import { hash } from 'node:crypto';
import { UserError } from '../../../core/errors.js';
import type { Mark } from '../place.js';
import { downloadWhole } from './download.js';
import { isThere } from './faults.js';
import { checksumsOf, isMd5, type Objects } from './objects.js';

/** Names the database whose blobs are under the prefix. */
const markKey = 'pandafuzz.json';

export async function readMark(objects: Objects, location: string): Promise<Mark | undefined> {
  const bytes = await downloadWhole(objects, markKey);
  if (!bytes) return undefined;
  try {
    const { name } = JSON.parse(bytes.toString()) as Partial<Mark>;
    if (typeof name === 'string' && name !== '') return { name };
  } catch {
    // As below.
  }
  throw new UserError(`blobs.url: ${location}/${markKey} is not as PandaFuzz writes it`);
}

export async function writeMark(objects: Objects, location: string, mark: Mark): Promise<void> {
  const bytes = Buffer.from(`${JSON.stringify(mark)}\n`);
  try {
    await objects.put(markKey, { bytes, ifNew: true });
  } catch (error) {
    if (!isThere(error)) throw error;
    if ((await readMark(objects, location))?.name === mark.name) return;
    throw new UserError(`blobs.url: another master has taken ${location} just now`);
  }
}

/**
 * Sees that objects can be listed, written, read and deleted, and finds out whether the server
 * knows conditional writes (an object that is put twice shows it), and what its ETags are.
 */
export async function probe(objects: Objects, name: string): Promise<void> {
  await objects.list('');
  const key = `probe-${name}`;
  const bytes = Buffer.from(name);
  const sha256 = hash('sha256', bytes, 'hex');
  const etag = await objects.put(key, { bytes, sha256, ifNew: false });
  objects.hasMd5Tags = isMd5(etag, checksumsOf(bytes, sha256).ContentMD5);
  try {
    await objects.put(key, { bytes, sha256, ifNew: true });
    objects.knowsConditions = false;
  } catch (error) {
    if (!isThere(error)) throw error;
  }
  const found = await downloadWhole(objects, key);
  if (!found?.equals(bytes)) throw new Error('an object came back with other bytes');
  await objects.remove(key);
}
