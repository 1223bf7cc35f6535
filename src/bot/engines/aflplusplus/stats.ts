/** What AFL++ writes of its progress. */
export interface AflStats {
  readonly executions: number;
  readonly coverage: number;
  readonly queueFiles: number;
  readonly peakMemoryBytes: number;
}

export const noStats: AflStats = { executions: 0, coverage: 0, queueFiles: 0, peakMemoryBytes: 0 };

/** Reads fuzzer_stats: a line "key : value" each. */
export function readFuzzerStats(text: string): AflStats {
  const value = (key: string) =>
    Number(new RegExp(`^${key} *: *(\\d{1,15})`, 'm').exec(text)?.[1] ?? 0);
  return {
    executions: value('execs_done'),
    coverage: value('edges_found'),
    queueFiles: value('corpus_count'),
    peakMemoryBytes: value('peak_rss_mb') * 2 ** 20,
  };
}

/** Names of columns, as in the first line of plot_data. */
const columns = {
  total_execs: 'executions',
  edges_found: 'coverage',
  corpus_count: 'queueFiles',
} as const;

/**
 * Reads the last whole line of plot_data.
 *
 * @param header the first line of the file
 * @param tail its last bytes
 */
export function readPlotData(header: string, tail: string): AflStats {
  const names = header
    .replace(/^# */, '')
    .split(',')
    .map((name) => name.trim());
  const line = tail.split('\n').slice(0, -1).at(-1) ?? '';
  const values = line.split(',').map((text) => Number(text.trim()));
  const stats: { -readonly [Figure in keyof AflStats]: number } = { ...noStats };
  if (values.length < names.length) return stats;
  for (const [name, figure] of Object.entries(columns)) {
    const value = values[names.indexOf(name)];
    if (value !== undefined && Number.isFinite(value)) stats[figure] = value;
  }
  return stats;
}

export function largest(one: AflStats, other: AflStats): AflStats {
  return {
    executions: Math.max(one.executions, other.executions),
    coverage: Math.max(one.coverage, other.coverage),
    queueFiles: Math.max(one.queueFiles, other.queueFiles),
    peakMemoryBytes: Math.max(one.peakMemoryBytes, other.peakMemoryBytes),
  };
}
