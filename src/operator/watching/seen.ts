import type { ReadPage } from '../pages.js';

/** Of a page. */
const pageSize = 100;
/** Pages that are read for what is new. */
const mostPages = 10;

interface Item {
  /** UUIDv7, which the list is in order of, the newest first. */
  readonly id: string;
}

interface Fresh<T> {
  readonly items: readonly T[];
  /** There is more that is new, which is passed over. */
  readonly isCut: boolean;
  /** Remembers what was read: it is not new any more. */
  keep(): void;
}

/**
 * What has come into a list since it was read last. An item whose id is older than one
 * that was there already, as two were made at once, counts as new too.
 */
export class Seen<T extends Item> {
  /** The newest that were read. */
  #ids: ReadonlySet<string> | undefined;
  /** Items from here down are not new, though they are not known. */
  #floor = '';

  /** Nothing is new at the first reading; otherwise it is newest first, and 1,000 at most. */
  async read(readPage: ReadPage<T>): Promise<Fresh<T>> {
    const known = this.#ids;
    const items: T[] = [];
    let pageToken = '';
    let isCut = false;
    for (let pages = 1; ; pages += 1) {
      const page = await readPage({ pageSize, pageToken });
      items.push(...page.items);
      pageToken = page.nextPageToken;
      const isThrough = page.items.some(({ id }) => id <= this.#floor || known?.has(id));
      if (pageToken === '' || !known || isThrough) break;
      isCut = pages === mostPages;
      if (isCut) break;
    }
    const fresh = known ? items.filter(({ id }) => id > this.#floor && !known.has(id)) : [];
    return { items: fresh, isCut, keep: () => this.#remember(items) };
  }

  #remember(items: readonly T[]): void {
    const ids = items.map(({ id }) => id).concat(...(this.#ids ?? []));
    const newest = [...new Set(ids)].sort().reverse();
    const lowest = newest[pageSize - 1];
    if (lowest !== undefined && lowest > this.#floor) this.#floor = lowest;
    this.#ids = new Set(newest.slice(0, pageSize));
  }
}
