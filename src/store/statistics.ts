/** Statistics of a job's attempts, added up. Both are JobStatistics as protobuf JSON. */

type Figures = Readonly<Record<string, unknown>>;

/** What each attempt adds to; its zero is left out of the JSON. */
const sums = ['executions', 'elapsedMs', 'crashes', 'crashHits', 'crashInputsKept'];
/** What is true of the present alone. */
const current = ['executionsPerSecond'];

/**
 * Executions, times and crashes are sums, every other figure is the larger one, and what is
 * no figure is the later attempt's, where it has any.
 */
export function addFigures(earlier: Figures, later: Figures): Record<string, unknown> {
  const total: Record<string, unknown> = { ...earlier, ...later };
  for (const [name, before] of Object.entries(earlier)) {
    const after = later[name] ?? 0;
    if (typeof before !== 'number' || typeof after !== 'number') continue;
    total[name] = sums.includes(name) ? before + after : Math.max(before, after);
  }
  for (const name of current) total[name] = later[name] ?? 0;
  return total;
}

/** The same of texts; null: no statistics. */
export function addStatistics(earlier: string | null, later: string | null): string | null {
  if (earlier === null || later === null) return earlier ?? later;
  return JSON.stringify(addFigures(JSON.parse(earlier), JSON.parse(later)));
}

/** Milliseconds of fuzzing. */
export function fuzzedMs(statistics: string | null): number {
  if (statistics === null) return 0;
  const { elapsedMs } = JSON.parse(statistics);
  return typeof elapsedMs === 'number' && elapsedMs > 0 ? Math.round(elapsedMs) : 0;
}
