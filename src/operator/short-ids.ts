/** Fewest characters of an id that a list shows. */
const shortest = 8;

/**
 * Shortens ids for people, who type them: to the fewest characters, 8 at least, that begin
 * no other id of the list. UUIDv7 begins with the time, so ids of one minute share 8 or more.
 *
 * @param beside further ids that a shortened one must not be taken for
 */
export function shortIds(
  ids: Iterable<string>,
  beside: Iterable<string> = [],
): (id: string) => string {
  const sorted = [...new Set([...ids, ...beside])].sort();
  const lengths = new Map(
    sorted.map((id, index) => {
      const common = Math.max(
        commonLength(id, sorted[index - 1] ?? ''),
        commonLength(id, sorted[index + 1] ?? ''),
      );
      return [id, Math.max(shortest, common + 1)];
    }),
  );
  return (id) => id.slice(0, lengths.get(id) ?? id.length);
}

function commonLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}
