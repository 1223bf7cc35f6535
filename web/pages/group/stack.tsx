import { useState } from 'preact/hooks';
import type { Crash, StackFrame } from '../../gen/pandafuzz/v1/crash.js';
import { Name, Text } from '../../text/text.js';

const mostFrames = 40;
/** As many of the target's own frames as make a group. */
const counted = 3;

/** Calls from the inside out. The innermost frames of the target's own are marked. */
export function Stack({ of: { stack, frames } }: { of: Crash }) {
  const [areAll, setAll] = useState(false);
  const all: readonly StackFrame[] =
    (stack ?? []).length > 0
      ? (stack ?? [])
      : (frames ?? []).map((name) => ({ function: name, own: true }));
  if (all.length === 0) {
    return <p class="muted">The report has no stack; reproduce it to try again.</p>;
  }
  const marked = new Set(all.filter(({ own }) => own).slice(0, counted));
  const rest = all.length - mostFrames;
  return (
    <>
      <ol class="stack" start={0}>
        {all.slice(0, areAll ? all.length : mostFrames).map((frame, depth) => (
          <li key={depth} class={marked.has(frame) ? 'counts' : frame.own ? '' : 'muted'}>
            <span class="depth">{depth}</span>
            <span class="call">
              <Text of={nameOf(frame)} most={200} />
              {marked.has(frame) && <span class="unseen"> (makes the group)</span>}
            </span>
            <span class="file muted">
              {frame.file ? (
                <Name of={`${frame.file}${frame.line ? `:${frame.line}` : ''}`} most={60} />
              ) : (
                ''
              )}
            </span>
          </li>
        ))}
      </ol>
      {rest > 0 && (
        <button type="button" aria-expanded={areAll} onClick={() => setAll(!areAll)}>
          {areAll ? 'fewer' : `${rest} more frames`}
        </button>
      )}
      <p class="muted">
        <span class="swatch" aria-hidden="true" /> frames that make the group; grey ones are of
        runtimes and libraries
      </p>
    </>
  );
}

function nameOf({ function: name, module, offset }: StackFrame): string {
  if (name) return name;
  const at = Number(offset ?? 0);
  return `${module || 'unknown'}${at > 0 ? `+0x${at.toString(16)}` : ''}`;
}
