import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { FailureLine, Loading } from '../frame/panel.js';
import { go, Link, place, trail, withQuery } from '../route/route.js';
import { type PageOf, useRows } from './rows.js';
import { type Column, Table } from './table.js';

interface ListProps<Row> {
  caption: string;
  /** Names what is asked for, filters and all, without the page. */
  question: string;
  read: (pageToken: string, signal: AbortSignal) => Promise<PageOf<Row>>;
  idOf: (row: Row) => string;
  columns: readonly Column<Row>[];
  /** Shown where there is nothing. */
  empty: ComponentChildren;
}

export const pageSize = 50;

/** A list by pages, whose place is in the address (`after`). */
export function List<Row>({ caption, question, read, idOf, columns, empty }: ListProps<Row>) {
  const after = place.value.query.get('after') ?? '';
  const shown = useRows(`${question} after ${after}`, (signal) => read(after, signal), idOf);
  const { rows, waiting, showNew, next, answer } = shown;
  const previous = trail.value.at(-1);
  const back = () => go(withQuery({ after: previous ?? '' }), { past: trail.value.slice(0, -1) });
  useEffect(() => {
    const on = (event: Event) => {
      const { detail } = event as CustomEvent<string>;
      if (detail === 'new') showNew();
      if (detail === 'next' && next !== '') {
        go(withQuery({ after: next }), { past: [...trail.value, after] });
      }
      if (detail === 'previous' && previous !== undefined) back();
    };
    addEventListener('list', on);
    return () => removeEventListener('list', on);
  });
  if (answer.failure && rows.length === 0) return <FailureLine of={answer} />;
  if (answer.value === undefined) return <Loading rows={8} />;
  return (
    <>
      {answer.failure && <FailureLine of={answer} />}
      {waiting > 0 && (
        <button type="button" class="waiting" onClick={showNew}>
          {waiting} new, show (n)
        </button>
      )}
      {rows.length === 0 ? (
        <div class="empty">{empty}</div>
      ) : (
        <Table caption={caption} columns={columns} rows={rows} />
      )}
      <nav class="pager" aria-label={`Pages of ${caption.toLowerCase()}`}>
        {after !== '' && <Link to={withQuery({ after: '' })}>First page</Link>}
        {previous !== undefined && (
          <Link to={withQuery({ after: previous })} past={trail.value.slice(0, -1)}>
            Previous page
          </Link>
        )}
        <span class="muted">
          {rows.length} shown{next === '' ? '' : ', more follow'}
        </span>
        {next !== '' && (
          <Link to={withQuery({ after: next })} past={[...trail.value, after]}>
            Next page
          </Link>
        )}
      </nav>
    </>
  );
}
