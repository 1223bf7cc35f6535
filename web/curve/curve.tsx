import { useEffect, useRef, useState } from 'preact/hooks';
import { covered, duration, si, utc } from '../format/figures.js';
import type { Band, Mark } from './marks.js';
import type { PlotOptions } from './plot.js';
import { isDark } from './scheme.js';

const dashes: readonly (readonly number[])[] = [[], [6, 3], [2, 3], [8, 3, 2, 3], [12, 4], [4, 4]];

/** One curve: a sentence, the line, the value under the cursor, and all of it as a table. */
export function Curve(props: {
  title: string;
  unit: string;
  times: readonly number[];
  values: readonly (number | null)[];
  stepSeconds: number;
  /** Which of the colours and dashes. */
  index: number;
  fromZero: boolean;
  marks: readonly Mark[];
  bands: readonly Band[];
}) {
  const { title, unit, times, values, stepSeconds, index, fromZero, marks, bands } = props;
  const place = useRef<HTMLDivElement>(null);
  const [cursor, setCursor] = useState<number | null>(null);
  const colour = `--series-${(index % 6) + 1}`;
  const dash = dashes[index % 6] ?? [];
  useEffect(() => {
    let end = () => {};
    let isGone = false;
    const looks = { colour, dash, fromZero, marks, bands };
    const options: PlotOptions = { times, values, ...looks, onCursor: setCursor };
    // Where that part of the page cannot be loaded, the sentence and the table are left.
    import('./plot.js').then(
      ({ plot }) => {
        if (!isGone && place.current) end = plot(place.current, options);
      },
      () => {},
    );
    return () => {
      isGone = true;
      end();
    };
  }, [times, values, colour, dash, fromZero, marks, bands, isDark.value]);
  const known = values.flatMap((value, at) => (value === null ? [] : [{ value, at }]));
  const shown =
    cursor === null || values[cursor] == null
      ? known.at(-1)
      : { at: cursor, value: values[cursor] };
  return (
    <figure class="curve">
      <figcaption>
        <strong class={`series-${(index % 6) + 1}`}>{title}</strong>{' '}
        {shown ? (
          <>
            {figure(shown.value ?? 0)} {unit}{' '}
            <span class="muted">
              at {utc((times[shown.at] ?? 0) * 1000)}
              {gainOf(known)}, in steps of {duration(stepSeconds * 1000)}
            </span>
          </>
        ) : (
          <span class="muted">nothing was measured in this time</span>
        )}
      </figcaption>
      {known.length > 0 && <div class="plot" ref={place} aria-hidden="true" />}
      {known.length > 0 && (
        <details>
          <summary>As a table</summary>
          <table>
            <caption class="unseen">{title}</caption>
            <thead>
              <tr>
                <th scope="col">Time</th>
                <th scope="col" class="right">
                  {unit}
                </th>
              </tr>
            </thead>
            <tbody>
              {known.slice(-mostRows).map(({ value, at }) => (
                <tr key={at}>
                  <th scope="row">{utc((times[at] ?? 0) * 1000)}</th>
                  <td class="right">{figure(value)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </details>
      )}
    </figure>
  );
}

/** The newest, in the table. */
const mostRows = 60;
const figure = (value: number) => (value < 100 ? si(value) : covered(value));

function gainOf(known: readonly { readonly value: number }[]): string {
  const [first, last] = [known[0]?.value ?? 0, known.at(-1)?.value ?? 0];
  const gain = last - first;
  return gain === 0 ? '' : `, ${gain > 0 ? '+' : '−'}${figure(Math.abs(gain))} in this time`;
}
