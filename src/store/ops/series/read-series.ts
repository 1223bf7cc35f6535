import { pageOperation } from '../../operation.js';
import { all, statement } from '../../statement.js';

export interface PointRow {
  time: number;
  engine: string;
  looks: number;
  rate_sum: number;
  rate_min: number;
  rate_max: number;
  running_sum: number;
  executions: number;
  fuzzed_ms: number;
  crash_hits: number;
  new_groups: number;
  coverage: number;
  features: number;
  corpus_files: number;
  corpus_bytes: number;
  peak_memory_bytes: number;
}

interface SeriesPage {
  readonly subject: string;
  readonly stepS: number;
  /** The page begins after the point of this time and engine. */
  readonly afterTime: number;
  readonly afterEngine: string;
  /** Before this, ms since 1970. */
  readonly to: number;
  readonly limit: number;
}

const select = statement<SeriesPage, PointRow>(`
  SELECT time, engine, looks, rate_sum, rate_min, rate_max, running_sum, executions, fuzzed_ms,
    crash_hits, new_groups, coverage, features, corpus_files, corpus_bytes, peak_memory_bytes
  FROM series
  WHERE subject = @subject AND step_s = @stepS
    AND (time, engine) > (@afterTime, @afterEngine) AND time < @to
  ORDER BY time, engine LIMIT @limit`);

/** A page of one subject's figures, by time and engine: it costs the same at any age. */
export const readSeries = pageOperation('read_series', (page: SeriesPage) => all(select, page));
