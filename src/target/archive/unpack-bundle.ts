import {
  chmodSync,
  closeSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { codeOf } from '../../core/errors.js';
import { makeFolderSync } from '../../core/folders.js';
import { TargetFault } from '../fault.js';
import { type ArchiveBounds, bundleBounds } from './bounds.js';
import type { ArchiveEntry } from './entry.js';
import { archiveEntries } from './open.js';
import { below, partsOf, shown, staysInside } from './paths.js';
import { writeNewFile } from './write-file.js';

/**
 * Unpacks a bundle into a folder that only this writes to. Paths and links that lead out of
 * it, devices and pipes are refused. Links are made when every file is there, so that no file
 * is ever written through one. Owners, times and special bits are not taken over.
 *
 * @throws TargetFault
 */
export async function unpackBundle(
  archive: string,
  folder: string,
  bounds: ArchiveBounds = bundleBounds,
): Promise<void> {
  makeFolderSync(folder);
  const unpacking = new Unpacking(Buffer.from(folder));
  for await (const entry of archiveEntries(archive, bounds)) await unpacking.add(entry);
  unpacking.makeLinks();
}

const slash = Buffer.from('/');

class Unpacking {
  readonly #links: { path: Buffer; to: Buffer }[] = [];
  /** Folders that are there, as latin1 text of their paths. */
  readonly #folders = new Set<string>();

  constructor(private readonly folder: Buffer) {}

  async add(entry: ArchiveEntry): Promise<void> {
    const parts = partsOf(entry.path);
    if (parts.length === 0) {
      if (entry.type === 'folder') return; // "./"
      throw new TargetFault('the archive has an entry without a name');
    }
    if (entry.type === 'folder') return this.#makeFolders(parts);
    this.#makeFolders(parts.slice(0, -1));
    const path = below(this.folder, parts);
    if (entry.type === 'file') return this.#file(path, entry);
    if (entry.type === 'hard link') return this.#hardLink(path, entry);
    if (entry.type === 'link') return this.#link(path, parts.length - 1, entry);
    throw new TargetFault(`${shown(entry.path)} is a device or a pipe: leave it out of the bundle`);
  }

  async #file(path: Buffer, { path: name, content, isExecutable }: ArchiveEntry): Promise<void> {
    this.#clear(path, name);
    await writeNewFile(path, content);
    // Programs that know no modes lose them.
    if (isExecutable || startsAsExecutable(path)) chmodSync(path, 0o755);
  }

  /** Another name of a file that came before. */
  #hardLink(path: Buffer, { path: name, linkTo }: ArchiveEntry): void {
    const to = below(this.folder, partsOf(linkTo));
    if (to.equals(path)) return;
    this.#clear(path, name);
    try {
      if (!lstatSync(to).isFile()) throw new TargetFault(`${shown(name)} is a link to no file`);
      linkSync(to, path);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ENOTDIR') throw error;
      throw new TargetFault(`${shown(name)} is a link to a file that the archive does not have`);
    }
  }

  #link(path: Buffer, depth: number, { path: name, linkTo }: ArchiveEntry): void {
    if (!staysInside(linkTo, depth)) {
      throw new TargetFault(
        `${shown(name)} is a link to ${shown(linkTo)}, out of the bundle: put the file itself there`,
      );
    }
    this.#clear(path, name);
    this.#links.push({ path, to: linkTo });
  }

  /** To be called when every entry was added. */
  makeLinks(): void {
    for (const { path, to } of this.#links) {
      this.#clear(path, path);
      symlinkSync(to, path);
    }
  }

  #makeFolders(parts: readonly Buffer[]): void {
    for (let depth = 1; depth <= parts.length; depth++) {
      const path = below(this.folder, parts.slice(0, depth));
      const key = path.toString('latin1');
      if (this.#folders.has(key)) continue;
      try {
        mkdirSync(path, 0o755);
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error;
        throw twice(Buffer.concat(parts.slice(0, depth).flatMap((part) => [part, slash])));
      }
      this.#folders.add(key);
    }
  }

  /** Of two entries with one name the later one is taken, as tar does. */
  #clear(path: Buffer, name: Buffer): void {
    if (this.#folders.has(path.toString('latin1'))) throw twice(name);
    try {
      unlinkSync(path);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    }
  }
}

const twice = (path: Buffer) =>
  new TargetFault(`${shown(path)} is both a file and a folder in the archive`);

function startsAsExecutable(path: Buffer): boolean {
  const head = Buffer.alloc(4);
  const file = openSync(path, 'r');
  try {
    readSync(file, head, 0, 4, 0);
  } finally {
    closeSync(file);
  }
  return head.toString('latin1') === '\x7fELF' || head.toString('latin1', 0, 2) === '#!';
}
