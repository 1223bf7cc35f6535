/**
 * A queue's jobs ask for labels, and may ask for a level of isolation. The level is kept among
 * the labels, under a key that no label can have (docs/decisions/0331-isolation-in-labels.md).
 */
const key = '';

/** Labels of a queue with the level in them; 0: any. */
export const withIsolation = (
  labels: Readonly<Record<string, string>>,
  isolation: number,
): Record<string, string> =>
  isolation === 0 ? { ...labels } : { ...labels, [key]: String(isolation) };

/** The same, taken apart. */
export function isolationOf(queueLabels: Readonly<Record<string, string>>): {
  labels: Record<string, string>;
  isolation: number;
} {
  const { [key]: isolation = '0', ...labels } = queueLabels;
  return { labels, isolation: Number(isolation) };
}
