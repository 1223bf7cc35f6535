/** What may lie in a Bag, and in one only. */
export interface Bagged {
  /** Where it lies; the bag's own. */
  place: number;
}

/**
 * What comes and goes by the thousand, in no order. A Set or Map of V8's makes a new
 * table every few dozen changes, and leaves the old one pointing to it: once one of them
 * has grown old, the collector of young objects takes all later ones, and whatever lay
 * in them, for alive until the next full collection.
 */
export class Bag<Item extends Bagged> implements Iterable<Item> {
  readonly #items: Item[] = [];

  get size(): number {
    return this.#items.length;
  }

  add(item: Item): void {
    item.place = this.#items.push(item) - 1;
  }

  /** Of an item that lies in it. The last one takes its place. */
  remove(item: Item): void {
    const last = this.#items.pop() as Item;
    if (last === item) return;
    this.#items[item.place] = last;
    last.place = item.place;
  }

  /** What lies in it now, whatever comes and goes meanwhile. */
  [Symbol.iterator](): Iterator<Item> {
    return [...this.#items].values();
  }
}
