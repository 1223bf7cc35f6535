import { isId } from '../../core/ids.js';
import { isFull } from '../../store/page-bytes.js';
import { Violations } from './violations.js';

/**
 * Keyset pages over ids that sort by time: a page costs the same at any depth, and rows
 * added meanwhile neither repeat nor skip others.
 */
export interface PageRequest {
  pageSize: number;
  pageToken: string;
}

const defaultPageSize = 100;
const largestPage = 1000;
/** Sorts after every UUID. */
const beyondAll = 'g';

/** @throws ValidationError for faults of the page, and those `found` before */
export function readPage(
  request: PageRequest,
  found = new Violations(),
): { beforeId: string; limit: number } {
  const beforeId = request.pageToken === '' ? beyondAll : decode(request.pageToken);
  const limit = pageSizeOf(request, found);
  found
    .expect(beforeId !== undefined, 'page_token', 'must be a next_page_token of this list')
    .throwIfAny();
  return { beforeId: beforeId as string, limit: limit + 1 };
}

/** Size of the page; a bad number is noted in `found`. */
export function pageSizeOf(request: PageRequest, found: Violations): number {
  found.whole(request.pageSize, 'page_size', { min: 0, max: largestPage });
  return request.pageSize || defaultPageSize;
}

/**
 * Cuts off the one row that was read beyond the page, to see whether there is a next page. A
 * page that its bytes have ended has a next one, which may be empty.
 */
export const cutPage = <Row extends { id: string }>(
  rows: readonly Row[],
  limit: number,
): { rows: readonly Row[]; nextPageToken: string } =>
  cutPageBy(rows, limit, ({ id }) => pageTokenAfter(id));

/** As `cutPage`, for lists that go on by something else than an id. */
export function cutPageBy<Row extends object>(
  rows: readonly Row[],
  limit: number,
  tokenAfter: (last: Row) => string,
): { rows: readonly Row[]; nextPageToken: string } {
  const isShort = rows.length < limit;
  const page = isShort ? rows : rows.slice(0, limit - 1);
  const last = isShort && !isFull(rows) ? undefined : page.at(-1);
  return { rows: page, nextPageToken: last ? tokenAfter(last) : '' };
}

/** The token of the page that begins after this row. */
export const pageTokenAfter = (id: string): string => encode(id);

const encode = (id: string) => Buffer.from(id).toString('base64url');

function decode(token: string): string | undefined {
  const id = Buffer.from(token, 'base64url').toString();
  return isId(id) && encode(id) === token ? id : undefined;
}

/** The token of the page that begins after these two names, of project and target. */
export const pairToken = (names: [project: string, name: string]): string =>
  Buffer.from(JSON.stringify(names)).toString('base64url');

/** What `pairToken` made; undefined for any other token. */
export function afterPair(token: string): [project: string, name: string] | undefined {
  try {
    const names: unknown = JSON.parse(Buffer.from(token, 'base64url').toString());
    if (!Array.isArray(names) || names.length !== 2) return undefined;
    const [project, name] = names;
    const isOurs = typeof project === 'string' && typeof name === 'string';
    return isOurs && pairToken([project, name]) === token ? [project, name] : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The two names after which a page of such a list begins; both '' for the first.
 *
 * @throws ValidationError for another token, and for what was `found` before
 */
export function readPair(token: string, found: Violations): [project: string, name: string] {
  const after = token === '' ? (['', ''] as [string, string]) : afterPair(token);
  found
    .expect(after !== undefined, 'page_token', 'must be a next_page_token of this list')
    .throwIfAny();
  return after as [string, string];
}
