/** Where a check stands, as written before its text. */
export interface Place {
  readonly file?: string;
  readonly line?: number;
  readonly function?: string;
}

const bracketed = /([^\s:()[\]]{1,512})(?:\((\d{1,9})\)|:(\d{1,9})\]):? ?$/;
const longestFunction = 1024;

/**
 * "prog: a.c:3: int f(int): ", "a.c(3): " or "a.c:3: ". Splits at the colons, so that
 * the cost is linear whatever stands before.
 */
export function placeBefore(head: string): Place {
  const inBrackets = bracketed.exec(head.slice(-600));
  if (inBrackets)
    return { file: inBrackets[1] as string, line: Number(inBrackets[2] ?? inBrackets[3]) };
  const parts = head.split(':');
  const number = parts.findLastIndex((part, i) => i > 0 && /^\d{1,9}$/.test(part));
  if (number < 1) return {};
  const file = (parts[number - 1] as string).trim().split(/\s/).at(-1) ?? '';
  const name = parts
    .slice(number + 1)
    .join(':')
    .trim()
    .replace(/:$/, '');
  if (file === '') return {};
  const isFunction = name !== '' && name.length < longestFunction;
  return { file, line: Number(parts[number]), ...(isFunction && { function: name }) };
}
