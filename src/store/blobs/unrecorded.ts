import type { PlacedBlob } from '../ops/blobs/place-blobs.js';
import type { Appended } from './depot.js';

/** Packs with entries that no row refers to yet. */
export class Unrecorded {
  readonly #packs = new Map<number, number>();

  has(id: number): boolean {
    return this.#packs.has(id);
  }

  /** Counts entries of the pack until they are released. */
  note(id: number, placed: readonly PlacedBlob[]): Appended {
    this.#packs.set(id, (this.#packs.get(id) ?? 0) + 1);
    let isReleased = false;
    const release = () => {
      if (isReleased) return;
      isReleased = true;
      const left = (this.#packs.get(id) ?? 0) - 1;
      if (left > 0) this.#packs.set(id, left);
      else this.#packs.delete(id);
    };
    return { placed, release };
  }
}
