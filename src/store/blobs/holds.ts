/**
 * Which blobs are being uploaded, and which are being deleted. A blob that is held is not
 * deleted; one that is being deleted cannot be held before that is over, and is then written
 * anew. All in this process, which alone writes to the folder.
 */
export class Holds {
  readonly #held = new Map<string, number>();
  readonly #deleting = new Map<string, Promise<unknown>>();

  /** Resolves when none of them is being deleted; they are held from then on. */
  async hold(names: readonly string[]): Promise<void> {
    while (this.#deleting.size > 0) {
      const going = names.flatMap((name) => this.#deleting.get(name) ?? []);
      if (going.length === 0) break;
      await Promise.allSettled(going);
    }
    for (const name of names) this.#held.set(name, (this.#held.get(name) ?? 0) + 1);
  }

  release(names: readonly string[]): void {
    for (const name of names) {
      const left = (this.#held.get(name) ?? 0) - 1;
      if (left > 0) this.#held.set(name, left);
      else this.#held.delete(name);
    }
  }

  /** Calls `remove` with those of `names` that nobody holds. Nobody holds them until it has settled. */
  async whileFree<T>(
    names: readonly string[],
    remove: (free: readonly string[]) => Promise<T>,
  ): Promise<T> {
    const free = names.filter((name) => !this.#held.has(name) && !this.#deleting.has(name));
    const removal = remove(free);
    for (const name of free) this.#deleting.set(name, removal);
    try {
      return await removal;
    } finally {
      for (const name of free) this.#deleting.delete(name);
    }
  }
}
