import type { ComponentChildren } from 'preact';
import type { Answer } from '../api/ask.js';
import { isAway } from '../api/failure.js';
import { tick } from '../api/line.js';
import { duration } from '../format/figures.js';
import { Text } from '../text/text.js';

/** Values that should have been followed by others for so long say how old they are, milliseconds. */
const overdueMs = 6000;

/** How old the values of an answer are, milliseconds; undefined: there are none, or they are of now. */
export function ageOf({ value, at, everyMs }: Answer<unknown>): number | undefined {
  tick.value;
  const age = performance.now() - at;
  return value !== undefined && age > everyMs + overdueMs ? age : undefined;
}

/** A part of a page with a heading; it knows how old its values are. */
export function Panel({
  title,
  of,
  children,
}: {
  title: string;
  of?: Answer<unknown> | undefined;
  children: ComponentChildren;
}) {
  const age = of && ageOf(of);
  return (
    <section class={age === undefined ? 'panel' : 'panel old'}>
      <h2>
        {title} {age !== undefined && <small class="muted">{duration(age)} old</small>}
      </h2>
      {of?.failure && of.value === undefined && <FailureLine of={of} />}
      {of && of.value === undefined && !of.failure ? <Loading rows={3} /> : children}
    </section>
  );
}

/** What went wrong, in the master's words. An absent master has a line of its own at the top. */
export function FailureLine({ of: { failure, again } }: { of: Answer<unknown> }) {
  if (!failure || isAway(failure)) {
    return failure ? <p class="muted">Nothing is known yet: the master does not answer.</p> : null;
  }
  return (
    <p class="failure" role="alert">
      <Text of={failure.message} />{' '}
      <small class="muted">
        {failure.code}
        {failure.requestId !== '' && `, request ${failure.requestId}`}
      </small>{' '}
      <button type="button" onClick={again}>
        Try again
      </button>
    </p>
  );
}

/** Bars of the final height. They appear after 200 ms. */
export function Loading({ rows }: { rows: number }) {
  return (
    <div class="loading" aria-hidden="true">
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} />
      ))}
    </div>
  );
}

/** Names and values. */
export function Facts({
  of,
}: {
  of: readonly (readonly [name: string, value: ComponentChildren] | false)[];
}) {
  return (
    <dl class="facts">
      {of.map(
        (fact) =>
          fact && (
            <div key={fact[0]}>
              <dt>{fact[0]}</dt>
              <dd>{fact[1]}</dd>
            </div>
          ),
      )}
    </dl>
  );
}
