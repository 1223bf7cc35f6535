/** An item of a Bag; it may be in one bag only. */
export interface Bagged {
  /** Its index in the bag; set by the bag. */
  place: number;
}

/**
 * An unordered collection for items that are added and removed by the thousand. V8's Set
 * and Map make a new table every few dozen changes, and the old table points to the new
 * one. Once one table is in the old generation, all later ones and their items stay alive
 * until the next full collection.
 */
export class Bag<Item extends Bagged> implements Iterable<Item> {
  readonly #items: Item[] = [];

  get size(): number {
    return this.#items.length;
  }

  add(item: Item): void {
    item.place = this.#items.push(item) - 1;
  }

  /** Removes an item of this bag; the last item takes its place. */
  remove(item: Item): void {
    const last = this.#items.pop() as Item;
    if (last === item) return;
    this.#items[item.place] = last;
    last.place = item.place;
  }

  /** Iterates over the items of this moment, whatever is added or removed meanwhile. */
  [Symbol.iterator](): Iterator<Item> {
    return [...this.#items].values();
  }
}
