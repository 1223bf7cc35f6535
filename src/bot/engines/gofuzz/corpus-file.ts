/*
 * Go keeps inputs as text: a first line, then one Go literal for each argument of the fuzz
 * test. Inputs of tests with one []byte or string are plain bytes everywhere else.
 */

const firstLine = 'go test fuzz v1';

/** Arguments of a fuzz test; others than these two are kept as Go writes them. */
export type InputType = '[]byte' | 'string' | 'other';

export const isCorpusFile = (content: Buffer): boolean =>
  content.toString('latin1', 0, firstLine.length + 1).trimEnd() === firstLine;

/** The file for an input; one that is a file of Go's already stays as it is. */
export function encode(input: Buffer, type: InputType): Buffer {
  if (type === 'other' || isCorpusFile(input)) return input;
  return Buffer.from(`${firstLine}\n${type}(${quoted(input)})\n`, 'latin1');
}

/** The input in a file of Go's; the file itself for what is no single []byte or string. */
export function decode(file: Buffer, type: InputType): Buffer {
  if (type === 'other' || !isCorpusFile(file)) return file;
  const lines = file
    .toString('utf8')
    .split('\n')
    .slice(1)
    .filter((line) => line.trim() !== '');
  const [, literal] = /^(?:\[\]byte|string)\((.*)\)\s*$/s.exec(lines[0] ?? '') ?? [];
  if (literal === undefined || lines.length !== 1) return file;
  return unquoted(literal) ?? file;
}

function quoted(input: Buffer): string {
  let text = '"';
  for (const byte of input) {
    if (byte === 0x22 || byte === 0x5c) text += `\\${String.fromCharCode(byte)}`;
    else if (byte >= 0x20 && byte < 0x7f) text += String.fromCharCode(byte);
    else text += `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return `${text}"`;
}

const simple: Readonly<Record<string, number>> = {
  ...{ a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11 },
  ...{ '\\': 0x5c, '"': 0x22, "'": 0x27 },
};

const escapes =
  /\\(?:([abfnrtv\\"'])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3}))|([^\\"])/gsuy;

/** The bytes of a string literal of Go's; undefined for what is none. */
function unquoted(literal: string): Buffer | undefined {
  if (/^`[^`]*`$/.test(literal)) return Buffer.from(literal.slice(1, -1));
  if (literal.length < 2 || !literal.startsWith('"') || !literal.endsWith('"')) return undefined;
  const body = literal.slice(1, -1);
  const parts: Buffer[] = [];
  let end = 0;
  for (const match of body.matchAll(escapes)) {
    const [whole, letter, hex, short, long, octal, plain] = match;
    end = match.index + whole.length;
    if (letter !== undefined) parts.push(Buffer.of(simple[letter] as number));
    else if (hex !== undefined) parts.push(Buffer.of(Number.parseInt(hex, 16)));
    else if (octal !== undefined) parts.push(Buffer.of(Number.parseInt(octal, 8) & 0xff));
    else if (plain !== undefined) parts.push(Buffer.from(plain));
    else {
      const point = Number.parseInt(short ?? long ?? '', 16);
      if (point > 0x10ffff) return undefined;
      parts.push(Buffer.from(String.fromCodePoint(point)));
    }
  }
  return end === body.length ? Buffer.concat(parts) : undefined;
}
