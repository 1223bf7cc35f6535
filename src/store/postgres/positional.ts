/**
 * A statement's `@names` as PostgreSQL's `$1`, `$2`, …: one position a name, so that a
 * parameter that is used twice is sent once.
 */
export function positional(text: string): { sql: string; names: string[] } {
  const names: string[] = [];
  const sql = text.replace(/@(\w+)/g, (_, name: string) => {
    if (!names.includes(name)) names.push(name);
    return `$${names.indexOf(name) + 1}`;
  });
  return { sql, names };
}
