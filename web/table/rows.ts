import { useRef, useState } from 'preact/hooks';
import { type Answer, useAsk } from '../api/ask.js';

export interface PageOf<Row> {
  readonly rows: readonly Row[];
  /** Token of the next page; empty on the last. */
  readonly next: string;
}

export interface ShownRow<Row> {
  readonly id: string;
  readonly row: Row;
  /** It is no longer on this page of the list. */
  readonly isGone: boolean;
}

export interface Shown<Row> {
  readonly rows: readonly ShownRow<Row>[];
  /** New rows that wait until somebody wants to see them. */
  readonly waiting: number;
  readonly showNew: () => void;
  readonly next: string;
  readonly answer: Answer<PageOf<Row>>;
}

interface Kept<Row> {
  readonly key: string;
  readonly version: number;
  readonly ids: readonly string[];
  readonly rows: ReadonlyMap<string, Row>;
}

/**
 * Rows of one page of a list, asked for again and again. Their values change in place; no row
 * moves, comes or goes by itself.
 */
export function useRows<Row>(
  key: string,
  read: (signal: AbortSignal) => Promise<PageOf<Row>>,
  idOf: (row: Row) => string,
): Shown<Row> {
  const answer = useAsk(key, read);
  const [version, setVersion] = useState(0);
  const kept = useRef<Kept<Row>>({ key: '', version: 0, ids: [], rows: new Map() });
  const { value } = answer;
  const now = new Map((value?.rows ?? []).map((row) => [idOf(row), row]));
  const isOther = kept.current.key !== key || kept.current.version !== version;
  if (value !== undefined) {
    const ids = isOther || kept.current.ids.length === 0 ? [...now.keys()] : kept.current.ids;
    const rows = new Map(ids.flatMap((id) => rowOf(id, now, kept.current.rows)));
    kept.current = { key, version, ids, rows };
  } else if (isOther) {
    kept.current = { key, version, ids: [], rows: new Map() };
  }
  const { ids, rows } = kept.current;
  return {
    rows: [...rows].map(([id, row]) => ({ id, row, isGone: value !== undefined && !now.has(id) })),
    waiting: [...now.keys()].filter((id) => !ids.includes(id)).length,
    showNew: () => setVersion(version + 1),
    next: value?.next ?? '',
    answer,
  };
}

function rowOf<Row>(
  id: string,
  ...places: readonly ReadonlyMap<string, Row>[]
): (readonly [string, Row])[] {
  for (const place of places) {
    const row = place.get(id);
    if (row !== undefined) return [[id, row]];
  }
  return [];
}
