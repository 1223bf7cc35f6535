import { segments } from './segments.js';

/** Longest line that is shown whole, characters. */
const longest = 2000;

/**
 * Text that a target, a bot or another person wrote: it turns no writing direction, has no
 * links, and characters that are not seen are shown by their names.
 */
export function Text({ of, most = longest }: { of: string | undefined; most?: number }) {
  const text = of ?? '';
  if (text === '') return <span class="muted">–</span>;
  const rest = text.length - most;
  return (
    <bdi class="foreign" dir="ltr">
      {pieces(rest > 0 ? text.slice(0, most) : text)}
      {rest > 0 && <span class="muted"> + {rest} characters</span>}
    </bdi>
  );
}

/** A name whose both ends matter: cut in the middle. */
export function Name({ of, most = 48 }: { of: string | undefined; most?: number }) {
  const text = of ?? '';
  const characters = text.length > 4 * most ? [...text.slice(0, 4 * most)] : [...text];
  if (characters.length <= most) return <Text of={text} />;
  const half = Math.floor(most / 2);
  const head = characters.slice(0, half).join('');
  const tail = [...text.slice(-2 * half)].slice(-half).join('');
  return (
    <bdi class="foreign" dir="ltr" title={text.slice(0, 512)}>
      {pieces(head)}…{pieces(tail)}
    </bdi>
  );
}

function pieces(text: string) {
  return segments(text).map(({ text: shown, isMark }) =>
    isMark ? <span class="mark">{shown}</span> : shown,
  );
}
