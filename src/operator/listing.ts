import { formatOf, jsonLine, type ListFormat, type OutputFlags, print } from './output.js';
import { each, largestPage, type ReadPage } from './pages.js';
import { inOrder, type Sorts } from './sorts.js';
import { terminalWidth, whole } from './table.js';

/** The one way in which every list is read, put in order and printed. */

export interface ListFlags extends OutputFlags {
  readonly limit: number;
  /** One of the list's sorts; undefined: as the master sends it. */
  readonly sort?: string;
  readonly reverse?: boolean;
}

export interface Listing<Item> {
  /** Name of the items, in the JSON document and for people: "jobs". */
  readonly items: string;
  /** What comes first as the master sends it. */
  readonly first: 'newest' | 'first';
  readonly read: ReadPage<Item>;
  /** What the master does not filter by. */
  readonly passes?: (item: Item) => boolean;
  readonly sorts: Sorts<Item>;
  readonly toJson: (item: Item) => unknown;
  /** @param width of the table; `whole`: everything is shown, undefined: names are not shortened */
  readonly text: (items: readonly Item[], width: number | undefined) => string;
}

/** As many are put in order by something that the master has no index for. */
const mostSorted = 1000;
/** As many are looked at for those that pass a filter that the master does not have. */
const mostLookedAt = 20_000;

export async function showListing<Item>(flags: ListFlags, listing: Listing<Item>): Promise<void> {
  const { limit, sort, reverse = false } = flags;
  const format = formatOf(flags);
  const notes: string[] = [];
  const isStream = format === 'jsonl' && sort === undefined && !reverse;
  const print = isStream ? (item: Item) => write(jsonLine(listing.toJson(item))) : undefined;
  const wanted = sort === undefined ? limit : Math.max(limit, mostSorted);
  const found = await gather(listing, wanted, print);
  const ordered = sort === undefined ? found.items : inOrder(found.items, listing.sorts[sort]);
  const shown = ordered.slice(0, limit);
  if (reverse) shown.reverse();
  if (!isStream) printAll(flags, format, { ...listing, shown });
  const { items, first } = listing;
  if (found.isLookedOut) {
    notes.push(`only the ${first} ${mostLookedAt} ${items} were looked at for those that match`);
  }
  if (found.isCut && sort !== undefined) {
    notes.push(`the ${first} ${wanted} ${items} are put in order by ${sort}, not all of them`);
  }
  if (ordered.length > limit)
    notes.push(`${limit} of ${ordered.length} are shown: --limit shows more`);
  else if (found.isCut) notes.push(`these are the ${first} ${limit}: --limit shows more`);
  for (const note of notes) process.stderr.write(`${note}\n`);
}

const write = (text: string) => void process.stdout.write(text);

function printAll<Item>(
  flags: OutputFlags,
  format: ListFormat,
  { items, shown, toJson, text }: Listing<Item> & { shown: readonly Item[] },
): void {
  if (format === 'jsonl') {
    for (const item of shown) write(jsonLine(toJson(item)));
    return;
  }
  print(flags, {
    json: () => ({ [items]: shown.map(toJson) }),
    text: () => text(shown, format === 'wide' ? whole : terminalWidth()),
  });
}

/**
 * The first `wanted` that pass. With `print`, each is printed as it comes and none is kept.
 *
 * @returns also whether there are more, and whether the bound on what is looked at was met
 */
async function gather<Item>(
  { read, passes }: Listing<Item>,
  wanted: number,
  print: ((item: Item) => void) | undefined,
): Promise<{ items: Item[]; isCut: boolean; isLookedOut: boolean }> {
  const items: Item[] = [];
  let count = 0;
  let looked = 0;
  // One more than is wanted says whether there are more.
  for await (const item of each(read, Math.min(passes ? largestPage : wanted + 1, largestPage))) {
    if (passes && looked++ >= mostLookedAt) return { items, isCut: false, isLookedOut: true };
    if (passes && !passes(item)) continue;
    if (count === wanted) return { items, isCut: true, isLookedOut: false };
    count += 1;
    if (print) print(item);
    else items.push(item);
  }
  return { items, isCut: false, isLookedOut: false };
}
