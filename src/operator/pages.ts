/** Lists that are read page by page. */

/** The largest page that a master sends. */
export const largestPage = 1000;

export interface PageRequest {
  readonly pageSize: number;
  readonly pageToken: string;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Empty at the end. */
  readonly nextPageToken: string;
}

export type ReadPage<Item> = (page: PageRequest) => Promise<Page<Item>>;

/** Reads pages until `limit` items or the end. */
export async function upTo<Item>(limit: number, read: ReadPage<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for (let pageToken = ''; ; ) {
    const pageSize = Math.min(limit - all.length, largestPage);
    const page = await read({ pageSize, pageToken });
    all.push(...page.items);
    pageToken = page.nextPageToken;
    if (pageToken === '' || all.length >= limit) return all;
  }
}

/** Reads the next page when all of the one before have been taken. */
export async function* each<Item>(read: ReadPage<Item>, pageSize = 100): AsyncGenerator<Item> {
  let pageToken = '';
  do {
    const page = await read({ pageSize, pageToken });
    yield* page.items;
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
}
