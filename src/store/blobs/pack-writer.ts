import type { FileHandle } from 'node:fs/promises';
import { codeOf } from '../../core/errors.js';
import type { PackRow } from '../ops/blobs/packs.js';
import { type AppendGroup, AppendQueue } from './append-queue.js';
import type { Appended, Appender, SmallBlob } from './depot.js';
import type { PackFiles } from './pack-files.js';
import { entriesOf } from './reading.js';
import { writeWhole } from './single-files.js';
import { Unrecorded } from './unrecorded.js';

/** The pack that is written to. Everything before `end` is on disk. */
interface OpenPack {
  readonly id: number;
  readonly file: FileHandle;
  end: number;
}

/**
 * Appends entries to the newest pack. What callers bring while a sync is under way goes
 * into the next write: one write and one sync for all of it.
 *
 * A write that the disk has no room for leaves the pack as it was: the next one begins at
 * the same place. After any other failure, of a sync above all, the pack is left behind and
 * a new one begun: what the system's cache says of that file is not what the disk has.
 */
export class PackWriter implements Appender {
  readonly #queue = new AppendQueue();
  readonly #unrecorded = new Unrecorded();
  #pack: OpenPack | undefined;
  #nextId = 1;
  #work: Promise<void> | undefined;

  constructor(
    private readonly files: PackFiles,
    private readonly largestPackBytes: number,
  ) {}

  /**
   * Goes on with the newest pack, where it has room. Cuts a torn entry at its end; whole
   * ones stay, though no row may refer to them.
   *
   * @param last the newest pack that the database knows
   * @returns how many bytes were cut
   */
  async open(last: PackRow | undefined): Promise<number> {
    const newest = (await this.files.list()).at(-1) ?? 0;
    this.#nextId = Math.max(newest, last?.id ?? 0) + 1;
    const found = newest > 0 ? await this.files.look(newest) : undefined;
    const known = last?.id === newest ? last.size_bytes : 0;
    // Shorter than the database says, or older than its newest pack: better left alone.
    if (!found || found.sizeBytes < known || newest < (last?.id ?? 0)) return 0;
    const end = await this.#endOfWhole(newest, known, found.sizeBytes);
    if (end === found.sizeBytes && end >= this.largestPackBytes) return 0;
    const file = await this.files.openToAppend(newest);
    await file.truncate(end);
    this.#pack = { id: newest, file, end };
    return found.sizeBytes - end;
  }

  /** Whether entries may still be added to the pack, or have been and no row refers to them yet. */
  isInUse(id: number): boolean {
    return this.#pack?.id === id || id >= this.#nextId || this.#unrecorded.has(id);
  }

  /**
   * Resolves when all of them are on disk.
   *
   * @throws the system's error; none of them counts as written then
   */
  append(blobs: readonly SmallBlob[]): Promise<Appended> {
    const appended = this.#queue.add(blobs);
    this.#work ??= this.#writeAll();
    return appended;
  }

  /** Ends after what was taken. */
  async close(): Promise<void> {
    await this.#work;
    await this.#leave();
  }

  async #endOfWhole(id: number, from: number, to: number): Promise<number> {
    let whole = from;
    for await (const { found, end } of entriesOf(this.files, id, { from, to })) {
      const torn = found.find(({ blob }) => blob === undefined);
      if (torn) return torn.position;
      whole = end;
    }
    return whole;
  }

  async #writeAll(): Promise<void> {
    while (!this.#queue.isEmpty) {
      const group = this.#queue.takeGroup();
      try {
        await this.#write(group);
      } catch (error) {
        if (codeOf(error) !== 'ENOSPC' && codeOf(error) !== 'EDQUOT') await this.#leave();
        group.reject(error);
      }
    }
    this.#work = undefined;
  }

  async #write(group: AppendGroup): Promise<void> {
    const bytes = group.layOut();
    const pack = await this.#packFor(bytes.length);
    await writeWhole(pack.file, bytes, pack.end);
    await pack.file.datasync();
    const from = pack.end;
    pack.end += bytes.length;
    group.resolve(pack.id, from, (placed) => this.#unrecorded.note(pack.id, placed));
  }

  async #packFor(bytes: number): Promise<OpenPack> {
    const current = this.#pack;
    if (current && (current.end === 0 || current.end + bytes <= this.largestPackBytes)) {
      return current;
    }
    await this.#leave();
    const id = this.#nextId++;
    const file = await this.files.make(id);
    this.#pack = { id, file, end: 0 };
    return this.#pack;
  }

  async #leave(): Promise<void> {
    const pack = this.#pack;
    this.#pack = undefined;
    if (!pack) return;
    await pack.file.close().catch(() => {});
    // On a disk that fails there would be an empty pack for every try.
    if (pack.end === 0) await this.files.remove(pack.id).catch(() => {});
  }
}
