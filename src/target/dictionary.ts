import { TargetFault } from './fault.js';

/** Longest dictionary, bytes; the largest in use have some 100 KiB. */
export const mostDictionaryBytes = 4 * 2 ** 20;

/** Faults that one message names. */
const mostNamed = 5;

/**
 * Checks a dictionary as libFuzzer and AFL++ read it: one "value" or name="value" a line, in
 * double quotes, with \\, \" and \xAB for all that is not printable ASCII; lines that begin
 * with "#" are comments.
 *
 * @returns how many values it has
 * @throws TargetFault naming the bad lines
 */
export function checkDictionary(bytes: Buffer): number {
  if (bytes.length > mostDictionaryBytes) {
    throw new TargetFault(`a dictionary may have at most ${mostDictionaryBytes} bytes`);
  }
  const faults: string[] = [];
  let values = 0;
  for (const [index, line] of bytes.toString('latin1').split('\n').entries()) {
    const fault = line.trim() === '' || line.startsWith('#') ? undefined : faultOf(line.trim());
    if (fault !== undefined) faults.push(`line ${index + 1}: ${fault}`);
    else if (line.trim() !== '' && !line.startsWith('#')) values += 1;
  }
  const more = faults.length - mostNamed;
  if (faults.length > 0) {
    const named = faults.slice(0, mostNamed).join('; ');
    throw new TargetFault(more > 0 ? `${named}; and ${more} more` : named);
  }
  if (values === 0) throw new TargetFault('it has no value: one is name="value" on a line');
  return values;
}

function faultOf(line: string): string | undefined {
  const from = line.indexOf('"');
  if (from === -1 || from === line.length - 1 || !line.endsWith('"')) {
    return 'the value must stand in double quotes, as name="value"';
  }
  const value = line.slice(from + 1, -1);
  if (value === '') return 'the value is empty';
  return faultOfValue(value);
}

function faultOfValue(value: string): string | undefined {
  for (let at = 0; at < value.length; at++) {
    const character = value[at] as string;
    if ((character < ' ' && character !== '\t') || character > '~') {
      return 'write what is not printable ASCII as \\xAB';
    }
    if (character !== '\\') continue;
    const rest = value.slice(at + 1);
    if (/^[\\"]/.test(rest)) at += 1;
    else if (/^x[0-9a-fA-F]{2}/.test(rest)) at += 3;
    else return 'after a backslash comes a backslash, a double quote or x and two hex digits';
  }
  return undefined;
}
