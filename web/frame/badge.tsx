import {
  askEveryMs,
  heardAt,
  isPaused,
  masterNow,
  nextTryAt,
  skewMs,
  state,
  tick,
  wake,
} from '../api/line.js';
import { duration, utc } from '../format/figures.js';

/** Answers come every two seconds; after three that did not, what is shown is old. */
const oldAfterMs = 3 * askEveryMs;

function sinceHeard(): number {
  tick.value;
  return performance.now() - (heardAt.value ?? performance.now());
}

const isOld = () => state.value === 'away' || (state.value === 'live' && sinceHeard() > oldAfterMs);

/** State of the line to the master, in a word, with the age of what is shown. */
export function Badge() {
  const age = duration(sinceHeard());
  const shown = isPaused.value
    ? (['still', `○ paused by you, data ${age} old`] as const)
    : isOld()
      ? (['warn', `◐ reconnecting, data ${age} old`] as const)
      : state.value === 'busy'
        ? (['warn', '◐ the master is busy'] as const)
        : state.value === 'connecting'
          ? (['still', '○ connecting'] as const)
          : (['good', `● live ${age}`] as const);
  return <span class={`chip ${shown[0]}`}>{shown[1]}</span>;
}

/** A line over the page while the master is away, or has too much to do. */
export function AwayLine() {
  const now = performance.now();
  if (state.value === 'busy') {
    return (
      <p class="away" role="status">
        The master is busy; asking every 20 s.
      </p>
    );
  }
  if (!isOld()) return <Skew />;
  const seen = heardAt.value;
  const from =
    seen === undefined
      ? 'The master does not answer.'
      : `The master is away since ${utc(masterNow() - (now - seen))}; what you see is from then.`;
  const next = Math.max(0, nextTryAt.value - now);
  return (
    <p class="away" role="status">
      {from} Trying again{next > 1000 ? ` in ${duration(next)}` : ''}.{' '}
      <button type="button" onClick={wake}>
        Try now
      </button>
    </p>
  );
}

function Skew() {
  const off = skewMs.value;
  if (Math.abs(off) < 5000) return null;
  return (
    <p class="away">
      The clock of this machine is {duration(Math.abs(off))} {off > 0 ? 'ahead of' : 'behind'} the
      master's; ages are by the master's.
    </p>
  );
}
