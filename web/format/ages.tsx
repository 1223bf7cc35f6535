import { masterNow } from '../api/line.js';
import { duration, utc } from './figures.js';

/** How long ago by the master's clock; the time itself on hover and for screen readers. */
export function Age({ of, otherwise = '–' }: { of: string | undefined; otherwise?: string }) {
  if (!of) return <span class="muted">{otherwise}</span>;
  return (
    <time dateTime={of} title={utc(of)}>
      {duration(masterNow() - Date.parse(of))}
    </time>
  );
}

/** From one time to another, or until now. */
export function Span({ from, to }: { from: string | undefined; to: string | undefined }) {
  if (!from) return <span class="muted">–</span>;
  const end = to ? Date.parse(to) : masterNow();
  return (
    <span title={`${utc(from)} to ${to ? utc(to) : 'now'}`}>
      {duration(end - Date.parse(from))}
    </span>
  );
}
