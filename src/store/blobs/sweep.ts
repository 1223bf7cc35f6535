import { systemClock } from '../../core/clock.js';
import { findBlobs } from '../ops/blobs/find-blobs.js';
import {
  forgetPack,
  knownPacks,
  listPacks,
  mostlyDeadPacks,
  type PackRow,
  retiredPacks,
  retirePack,
} from '../ops/blobs/packs.js';
import { deleteUnusedBlobs, listUnusedBlobs, markUnusedBlobs } from '../ops/blobs/unused-blobs.js';
import { type CompactionParts, emptyPack } from './compaction.js';
import type { PackUpkeep, Singles } from './depot.js';
import type { Holds } from './holds.js';
import { mapAtOnce } from './map-at-once.js';
import { folders } from './single-files.js';

/** Rows in one operation: a few milliseconds of the writer. */
const sliceSize = 200;
/** Slices of one round: the next goes on. */
const mostSlices = 50;
/** Mostly dead packs looked at for each one that is compacted: the newest is passed over. */
const mostCandidates = 8;
/** Small packs that are joined in one round. */
const [leastJoined, mostJoined] = [8, 64];

export interface SweepParts extends CompactionParts {
  readonly singles: Singles;
  readonly holds: Holds;
  readonly upkeep: PackUpkeep;
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
  /** Packs that the database does not know. */
  #strays: number[] = [];
  readonly #damaged = new Set<number>();
  /** Packs up to this id were looked at for small ones. */
  #joinedUpTo = 0;

  constructor(private readonly parts: SweepParts) {}

  /** Finds packs that no row was made for. */
  async findStrays(): Promise<void> {
    const ids = await this.parts.packs.listSome();
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
        const files = gone.flatMap(({ pack_id, sha256, size_bytes: sizeBytes }) =>
          pack_id === null ? [{ sha256, sizeBytes }] : [],
        );
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
    for await (const found of singles.listOld(folder, graceMs, sliceSize)) {
      if (signal.aborted) return;
      const names = found.map(({ sha256 }) => sha256);
      await holds.whileFree(names, async (free) => {
        const rows = await run(findBlobs, free);
        const needed = new Set(rows.filter((row) => row.pack_id === null).map((row) => row.sha256));
        const isFree = new Set(free);
        const surplus = found.filter(({ sha256 }) => isFree.has(sha256) && !needed.has(sha256));
        swept.bytes += await singles.remove(surplus);
      });
    }
  }

  async #compact({ now, signal }: SweepTerms, swept: Swept): Promise<void> {
    const { run, appender, upkeep } = this.parts;
    const most = upkeep.compacted * mostCandidates + this.#damaged.size;
    const dead = await run(mostlyDeadPacks, most);
    const isFit = ({ id }: PackRow) => !appender.isInUse(id) && !this.#damaged.has(id);
    const chosen = [
      ...dead.filter(isFit).slice(0, upkeep.compacted),
      ...(await this.#small(isFit)),
    ];
    if (signal.aborted) return;
    // Together: what they bring at the same time goes into one pack.
    await mapAtOnce(chosen, chosen.length, (pack) => emptyPack(this.parts, pack, signal));
    for (const { id } of chosen) {
      if (signal.aborted) return;
      if ((await run(retirePack, { id, now })) > 0) continue;
      this.#damaged.add(id);
      swept.damagedPacks.push(id);
    }
  }

  /** Small packs that follow each other, where there are enough of them to be joined. */
  async #small(isFit: (pack: PackRow) => boolean): Promise<PackRow[]> {
    const { smallBytes } = this.parts.upkeep;
    if (smallBytes === 0) return [];
    const page = await this.parts.run(listPacks, { after: this.#joinedUpTo, limit: sliceSize });
    this.#joinedUpTo = page.length < sliceSize ? 0 : (page.at(-1)?.id ?? 0);
    const isSmall = ({ size_bytes, live_bytes }: PackRow) =>
      size_bytes < smallBytes && size_bytes <= live_bytes * 2;
    const small = page.filter((pack) => isSmall(pack) && isFit(pack));
    return small.length < leastJoined ? [] : small.slice(0, mostJoined);
  }

  async #removePacks({ now, graceMs, signal }: SweepTerms, swept: Swept): Promise<void> {
    const { run, upkeep } = this.parts;
    const before = now - graceMs;
    const retired = await run(retiredPacks, { before, limit: upkeep.removed });
    for (const { id } of retired) {
      if (signal.aborted) return;
      swept.bytes += await this.#removePack(id);
      await run(forgetPack, id);
    }
    await this.findStrays();
    for (const id of this.#strays.splice(0)) {
      swept.bytes += await this.#removeStray(id, graceMs);
    }
  }

  async #removeStray(id: number, graceMs: number): Promise<number> {
    const { run, packs, appender } = this.parts;
    // First: what is not in use now gets no row later than the next look.
    const isInUse = appender.isInUse(id);
    const found = await packs.look(id);
    if (!found || (await run(knownPacks, [id])).length > 0) return 0;
    const isOld = found.changedAt < systemClock.now() - graceMs;
    if (isOld && !isInUse) return this.#removePack(id);
    this.#strays.push(id);
    return 0;
  }

  async #removePack(id: number): Promise<number> {
    const found = await this.parts.packs.look(id);
    await this.parts.packs.remove(id);
    return found?.sizeBytes ?? 0;
  }
}
