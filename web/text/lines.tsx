import { useState } from 'preact/hooks';
import { Text } from './text.js';

/** Lines of a report that are drawn at once. */
const step = 400;

/** Long foreign text: a report, a log. Drawn in parts, each line cut where it is very long. */
export function Lines({ of, label }: { of: string; label: string }) {
  const [shown, setShown] = useState(step);
  const lines = of.split('\n');
  const rest = lines.length - shown;
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys */}
      <section class="lines" tabIndex={0} aria-label={label}>
        {lines.slice(0, shown).map((line) => (
          <div>{line === '' ? ' ' : <Text of={line} />}</div>
        ))}
      </section>
      {rest > 0 && (
        <button type="button" onClick={() => setShown(shown + step)}>
          {rest} more lines
        </button>
      )}
    </>
  );
}
