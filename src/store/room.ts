import { open, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, DiskFullError } from '../core/errors.js';

/**
 * What the space is for. `new`: uploads, corpus inputs, jobs, copies; refused below
 * limits.min_disk_free. `found`: crash inputs; refused below a quarter of it. What keeps
 * running jobs going (results, heartbeats, leases) is never refused: the rest is theirs.
 */
export type Use = 'new' | 'found';

const shares: Record<Use, number> = { new: 1, found: 0.25 };
/** How old a figure of the free space may be. */
const freshMs = 200;
/** Bytes of a stream between two looks. */
const lookEveryBytes = 1_048_576;
/** The reserve is that part of limits.min_disk_free, and 4 MiB at most. */
const reserveShare = 1 / 8;
const largestReserveBytes = 4 * 2 ** 20;
const blockBytes = 65_536;

/**
 * Keeps the disk of the data folder from filling up, and a reserve for the time when others
 * have filled it: a file that is deleted then, so that results can be written and a master
 * that was killed can start, and is made again when there is room.
 */
export class Room {
  readonly #reserve: string;
  readonly #reserveBytes: number;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #free = 0;

  constructor(
    private readonly directory: string,
    private readonly leastFreeBytes: number,
  ) {
    this.#reserve = join(directory, 'reserve');
    const share = Math.floor(leastFreeBytes * reserveShare);
    this.#reserveBytes = Math.min(largestReserveBytes, share);
  }

  /** Bytes free for this process, as they are now. */
  async free(): Promise<number> {
    const { bavail, bsize } = await statfs(this.directory);
    this.#lookedAt = performance.now();
    this.#free = bavail * bsize;
    return this.#free;
  }

  /** @throws DiskFullError when too little would be left after `bytes` more */
  async expect(bytes: number, use: Use): Promise<void> {
    if (this.leastFreeBytes === 0) return;
    const isFresh = performance.now() - this.#lookedAt < freshMs;
    const free = isFresh ? this.#free : await this.free();
    if (free - bytes >= this.leastFreeBytes * shares[use]) return;
    throw new DiskFullError({ retryAfterMs: 10_000, leastFreeBytes: this.leastFreeBytes });
  }

  /** The chunks, for as long as there is room. Throws as `expect` does. */
  async *watched(chunks: AsyncIterable<Uint8Array>, use: Use): AsyncGenerator<Uint8Array> {
    let passed = 0;
    for await (const chunk of chunks) {
      passed += chunk.length;
      if (passed >= lookEveryBytes) {
        await this.expect(passed, use);
        passed = 0;
      }
      yield chunk;
    }
  }

  /**
   * Gives the reserve up where the disk is full, or makes it again where there is room.
   *
   * @returns what was done
   */
  async adjust(): Promise<'released' | 'made' | undefined> {
    const free = await this.free();
    const has = (await stat(this.#reserve).catch(() => undefined))?.size === this.#reserveBytes;
    if (free < this.#reserveBytes / 2 && has) {
      await rm(this.#reserve, { force: true });
      return 'released';
    }
    const isRoomy = free >= this.leastFreeBytes + this.#reserveBytes;
    if (has || this.#reserveBytes === 0 || !isRoomy) return undefined;
    return (await this.#make()) ? 'made' : undefined;
  }

  /** Real bytes: a hole would reserve nothing. */
  async #make(): Promise<boolean> {
    try {
      const file = await open(this.#reserve, 'w');
      try {
        const block = Buffer.alloc(blockBytes);
        for (let left = this.#reserveBytes; left > 0; left -= blockBytes)
          await file.write(block, 0, Math.min(left, blockBytes));
      } finally {
        await file.close();
      }
      return true;
    } catch (error) {
      await rm(this.#reserve, { force: true });
      if (codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT') return false;
      throw error;
    }
  }
}
