import { beyondC0 } from '../../src/core/unseen.js';

/** A piece of foreign text: as it is, or the name of what is not shown. */
export interface Segment {
  readonly text: string;
  readonly isMark: boolean;
}

/** ANSI: CSI, and OSC up to its end. Each is one mark. */
const csi = '\\u001b\\[[0-?]*[ -/]*[@-~]';
const osc = '\\u001b\\][^\\u0007\\u001b\\u009c]*(?:\\u0007|\\u001b\\\\|\\u009c)?';
/** Control characters but LF and TAB; what turns, hides or has no width; lone surrogates, private use. */
const single = `[\\u0000-\\u0008\\u000b-\\u001f${beyondC0}\\p{Cs}\\p{Co}\\u{fff9}-\\u{fffb}]`;
/** More marks on one letter than a language has. */
const piled = '\\p{M}{5,}';
const hidden = new RegExp(`${csi}|${osc}|${single}|${piled}`, 'gu');

/** Linear in the length of the text. */
export function segments(text: string): Segment[] {
  const all: Segment[] = [];
  let from = 0;
  for (const match of text.matchAll(hidden)) {
    if (match.index > from) all.push({ text: text.slice(from, match.index), isMark: false });
    all.push({ text: nameOf(match[0]), isMark: true });
    from = match.index + match[0].length;
  }
  if (from < text.length) all.push({ text: text.slice(from), isMark: false });
  return all;
}

/** "\x1b", "U+202E", "ANSI" */
function nameOf(found: string): string {
  if (found.length > 2 && found.startsWith('\u001b')) return 'ANSI';
  const points = [...found];
  if (points.length > 4) return `${points.length} marks`;
  const code = found.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  return code < 0x100 ? `\\x${hex.padStart(2, '0')}` : `U+${hex.toUpperCase().padStart(4, '0')}`;
}

/** Text for the clipboard: a line pasted into a shell must not run by itself. */
export const harmless = (text: string): string =>
  segments(text)
    .map(({ text: shown, isMark }) => (isMark ? '\u{fffd}' : shown))
    .join('');
