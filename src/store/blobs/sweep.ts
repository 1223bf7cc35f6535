import { systemClock } from '../../core/clock.js';
import { findBlobs } from '../ops/blobs/find-blobs.js';
import {
  forgetPack,
  knownPacks,
  mostlyDeadPacks,
  type PackRow,
  retiredPacks,
  retirePack,
} from '../ops/blobs/packs.js';
import { deleteUnusedBlobs, listUnusedBlobs, markUnusedBlobs } from '../ops/blobs/unused-blobs.js';
import { type CompactionParts, emptyPack } from './compaction.js';
import type { Holds } from './holds.js';
import { folders, type SingleFiles } from './single-files.js';

/** Rows in one operation: a few milliseconds of the writer. */
const sliceSize = 200;
/** Slices of one round: the next goes on. */
const mostSlices = 50;
/** Mostly dead packs looked at in one round; the newest is passed over, and one is compacted. */
const mostCandidates = 8;

export interface SweepParts extends CompactionParts {
  readonly singles: SingleFiles;
  readonly holds: Holds;
}

export interface SweepTerms {
  /** The master's time, milliseconds since 1970. */
  readonly now: number;
  /** Time for which bytes stay on disk after the last row that referred to them has gone. */
  readonly graceMs: number;
  readonly signal: AbortSignal;
}

/** What a round has removed from the disk, or found. */
export interface Swept {
  blobs: number;
  bytes: number;
  /** Packs that were to be emptied, and have entries that were not found in them. */
  damagedPacks: number[];
}

/**
 * Deletes what nothing refers to, and never what anything refers to, or is being uploaded:
 * rows of blobs without references, by the count that triggers keep; files without a row;
 * packs without entries. Each round does a bounded part of it.
 *
 * Bytes stay for the grace after their row has gone, so that a copy of the folder that is
 * made within it has everything that an earlier copy of the database refers to.
 */
export class BlobSweep {
  #folder = 0;
  /** Packs of an earlier process that the database does not know. */
  #strays: number[] = [];
  readonly #damaged = new Set<number>();

  constructor(private readonly parts: SweepParts) {}

  /** Finds packs that no row was ever made for. */
  async open(): Promise<void> {
    const ids = await this.parts.files.list();
    for (let at = 0; at < ids.length; at += sliceSize) {
      const some = ids.slice(at, at + sliceSize);
      const known = new Set(await this.parts.run(knownPacks, some));
      this.#strays.push(...some.filter((id) => !known.has(id)));
    }
  }

  async round(terms: SweepTerms): Promise<Swept> {
    const swept: Swept = { blobs: 0, bytes: 0, damagedPacks: [] };
    await this.#deleteUnused(terms, swept);
    await this.#removeFiles(terms, swept);
    await this.#compact(terms, swept);
    await this.#removePacks(terms, swept);
    return swept;
  }

  async #deleteUnused({ now, graceMs, signal }: SweepTerms, swept: Swept): Promise<void> {
    const { run, holds, singles } = this.parts;
    const before = now - graceMs;
    for (let slice = 0; slice < mostSlices && !signal.aborted; slice++) {
      if ((await run(markUnusedBlobs, { now, limit: sliceSize })) < sliceSize) break;
    }
    for (let slice = 0; slice < mostSlices && !signal.aborted; slice++) {
      const names = await run(listUnusedBlobs, { before, limit: sliceSize });
      const removed = await holds.whileFree(names, async (free) => {
        if (free.length === 0) return 0;
        const gone = await run(deleteUnusedBlobs, { names: free, before });
        const files = gone.flatMap(({ pack_id, sha256 }) => (pack_id === null ? [sha256] : []));
        swept.bytes += await singles.remove(files);
        return gone.length;
      });
      swept.blobs += removed;
      if (names.length < sliceSize || removed === 0) break;
    }
  }

  /** Goes through one folder of files for those without a row, and those that a pack has too. */
  async #removeFiles({ graceMs, signal }: SweepTerms, swept: Swept): Promise<void> {
    const { run, holds, singles } = this.parts;
    const folder = this.#folder;
    this.#folder = (folder + 1) % folders;
    // By the clock that gives files their times.
    const before = systemClock.now() - graceMs;
    for await (const names of singles.listOld(folder, before, sliceSize)) {
      if (signal.aborted) return;
      await holds.whileFree(names, async (free) => {
        const rows = await run(findBlobs, free);
        const needed = new Set(rows.filter((row) => row.pack_id === null).map((row) => row.sha256));
        const surplus = free.filter((name) => !needed.has(name));
        swept.bytes += await singles.remove(surplus);
      });
    }
  }

  async #compact({ now, signal }: SweepTerms, swept: Swept): Promise<void> {
    const { run, packs } = this.parts;
    const dead = await run(mostlyDeadPacks, mostCandidates + this.#damaged.size);
    const isFit = ({ id }: PackRow) => !packs.isInUse(id) && !this.#damaged.has(id);
    const pack = dead.find(isFit);
    if (!pack || signal.aborted) return;
    await emptyPack(this.parts, pack, signal);
    if (signal.aborted || (await run(retirePack, { id: pack.id, now })) > 0) return;
    this.#damaged.add(pack.id);
    swept.damagedPacks.push(pack.id);
  }

  async #removePacks({ now, graceMs, signal }: SweepTerms, swept: Swept): Promise<void> {
    const { run, files } = this.parts;
    const retired = await run(retiredPacks, { before: now - graceMs, limit: mostCandidates });
    for (const { id } of retired) {
      if (signal.aborted) return;
      swept.bytes += await this.#removePack(id);
      await run(forgetPack, id);
    }
    const strays = this.#strays.splice(0);
    for (const id of strays) {
      const found = await files.look(id);
      const isOld = found && found.changedAt < systemClock.now() - graceMs;
      if (!found || (await run(knownPacks, [id])).length > 0) continue;
      if (isOld && !this.parts.packs.isInUse(id)) swept.bytes += await this.#removePack(id);
      else this.#strays.push(id);
    }
  }

  async #removePack(id: number): Promise<number> {
    const found = await this.parts.files.look(id);
    await this.parts.files.remove(id);
    return found?.sizeBytes ?? 0;
  }
}
