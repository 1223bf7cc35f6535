import type { ComponentChildren } from 'preact';
import type { Answer } from '../api/ask.js';
import { isAway } from '../api/failure.js';
import { tick } from '../api/line.js';
import { duration } from '../format/figures.js';
import { Text } from '../text/text.js';

/** Values older than this say so, milliseconds. */
const oldAfterMs = 8000;

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
  tick.value;
  const age = of?.value === undefined ? 0 : performance.now() - of.at;
  const isOld = age > oldAfterMs;
  return (
    <section class={isOld ? 'panel old' : 'panel'}>
      <h2>
        {title} {isOld && <small class="muted">{duration(age)} old</small>}
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
