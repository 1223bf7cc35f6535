/**
 * Characters of foreign text that a terminal obeys or does not show: control characters
 * (C0, DEL, C1), marks that turn the direction of writing, and those of no width.
 */

/** Those that JSON.stringify passes: all but C0, which it writes as escapes itself. */
export const beyondC0 =
  '\\u007f-\\u009f\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f' +
  '\\u2028-\\u202e\\u2060-\\u206f\\u3164\\ufeff\\uffa0\\ufff0-\\ufffb\\u{e0000}-\\u{e0fff}';
const unseen = new RegExp(`[\\u0000-\\u001f${beyondC0}]`, 'gu');
const unseenInJson = new RegExp(`[${beyondC0}]`, 'gu');

/** The text with U+FFFD in their places. */
export const plain = (text: string): string => text.replace(unseen, '\u{fffd}');

/** The same for text of several lines, as from any system, in which tabs are harmless. */
export const plainLines = (text: string): string =>
  text
    .split(/\r?\n/)
    .map((line) => line.split('\t').map(plain).join('\t'))
    .join('\n');

/** A JSON text with them as escapes: it has the same value. */
export const plainJson = (json: string): string => json.replace(unseenInJson, escaped);

/** By UTF-16 units, as JSON escapes them. */
function escaped(character: string): string {
  let escapes = '';
  for (let i = 0; i < character.length; i++) {
    escapes += `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`;
  }
  return escapes;
}
