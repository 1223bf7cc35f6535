/**
 * Bytes of texts and blobs after which a page ends, whatever number of rows was asked for: a
 * reader thread builds no more at once, and an answer stays far below what clients take (4 MiB).
 */
export const mostPageBytes = 1024 * 1024;

/** A row of which not all goes on says how many bytes were read for it. */
export interface Shortened {
  readonly read_bytes?: number;
}

/** Bytes of a row's own texts and blobs, as they were read. */
export function rowBytes(row: object): number {
  const { read_bytes } = row as Shortened;
  if (read_bytes !== undefined) return read_bytes;
  let bytes = 0;
  for (const value of Object.values(row)) {
    if (typeof value === 'string' || value instanceof Uint8Array) bytes += value.length;
  }
  return bytes;
}

/** Whether these rows, the first of a page, are all that it may have. */
export function isFull(rows: readonly object[]): boolean {
  let bytes = 0;
  for (const row of rows) bytes += rowBytes(row);
  return bytes >= mostPageBytes;
}

/** The first of the rows, up to the one that fills the page. */
export function pageOf<Row>(rows: Iterable<Row>): Row[] {
  const page: Row[] = [];
  let bytes = 0;
  for (const row of rows) {
    page.push(row);
    bytes += rowBytes(row as object);
    if (bytes >= mostPageBytes) break; // ends the statement, too
  }
  return page;
}
