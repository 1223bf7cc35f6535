/** A statement's `@names` as positions: one `?` and one name for each place. */
export function positional(text: string): { sql: string; names: string[] } {
  const names: string[] = [];
  const sql = text.replace(/@(\w+)/g, (_, name: string) => {
    names.push(name);
    return '?';
  });
  return { sql, names };
}
