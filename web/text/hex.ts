/** Bytes as people look at them. */

export function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

const width = 16;

/** "0000  89 50 4e …  .PNG" */
export function hexLines(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let from = 0; from < bytes.length; from += width) {
    const row = bytes.subarray(from, from + width);
    const hex = [...row].map((one) => one.toString(16).padStart(2, '0')).join(' ');
    const seen = [...row].map((one) => (one > 0x1f && one < 0x7f ? String.fromCharCode(one) : '.'));
    lines.push(
      `${from.toString(16).padStart(4, '0')}  ${hex.padEnd(3 * width - 1)}  ${seen.join('')}`,
    );
  }
  return lines.join('\n');
}

/** Bytes that are no UTF-8 as "\xff"; what is left is shown by `Text`. */
export function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const seen = [...bytes].map((one) =>
      one < 0x80 ? String.fromCharCode(one) : `\\x${one.toString(16)}`,
    );
    return seen.join('');
  }
}
