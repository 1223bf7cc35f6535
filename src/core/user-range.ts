/** Numbers of users, and of groups alike. */
export interface UserRange {
  readonly first: number;
  readonly last: number;
}

/** Reads "FIRST-LAST"; undefined for anything else, and for a range with root in it. */
export function readUserRange(text: string): UserRange | undefined {
  const [, first, last] = /^(\d{1,10})-(\d{1,10})$/.exec(text) ?? [];
  const range = { first: Number(first), last: Number(last) };
  const isRange = range.first >= 1 && range.first <= range.last && range.last < 2 ** 32 - 1;
  return isRange ? range : undefined;
}
