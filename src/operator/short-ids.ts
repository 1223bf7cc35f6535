/**
 * Fewest characters of an id that a list shows: the time that a UUIDv7 begins with, to the
 * millisecond. The first 8 are those of a whole minute, and would begin ids that a list which
 * is filtered does not show.
 */
export const shortest = 13;

/**
 * Shortens ids for people, who type them: to the fewest characters, 13 at least, that begin
 * no other id of the list.
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
