import { writeOperation } from '../../operation.js';
import { runEach, type Steps, statement } from '../../statement.js';

/** Figures of one subject and engine in one bucket of time. */
export interface SeriesPoint {
  readonly subject: string;
  /** Length of the bucket, seconds: 10, 60 or 600. */
  readonly stepS: number;
  /** Its begin, ms since 1970. */
  readonly time: number;
  readonly engine: string;
  /** Looks at the runs in the bucket. */
  looks: number;
  /** Executions in a second: the sum over the looks, the least and the most. */
  rateSum: number;
  rateMin: number;
  rateMax: number;
  /** Runs, summed over the looks. */
  runningSum: number;
  /** What came in the bucket. */
  executions: number;
  fuzzedMs: number;
  crashHits: number;
  newGroups: number;
  /** The largest of the runs. */
  coverage: number;
  features: number;
  corpusFiles: number;
  corpusBytes: number;
  peakMemoryBytes: number;
}

const added = [
  ...['looks', 'rate_sum', 'running_sum', 'executions', 'fuzzed_ms', 'crash_hits', 'new_groups'],
];
const largest = [
  ...['rate_max', 'coverage', 'features', 'corpus_files', 'corpus_bytes', 'peak_memory_bytes'],
];
const one = (name: string, sign: '<' | '>') =>
  `${name} = CASE WHEN excluded.${name} ${sign} series.${name}
     THEN excluded.${name} ELSE series.${name} END`;

const add = statement<SeriesPoint>(`
  INSERT INTO series (subject, step_s, time, engine, looks, rate_sum, rate_min, rate_max,
    running_sum, executions, fuzzed_ms, crash_hits, new_groups, coverage, features, corpus_files,
    corpus_bytes, peak_memory_bytes)
  VALUES (@subject, @stepS, @time, @engine, @looks, @rateSum, @rateMin, @rateMax, @runningSum,
    @executions, @fuzzedMs, @crashHits, @newGroups, @coverage, @features, @corpusFiles,
    @corpusBytes, @peakMemoryBytes)
  ON CONFLICT (subject, step_s, time, engine) DO UPDATE SET
    ${added.map((name) => `${name} = series.${name} + excluded.${name}`).join(', ')},
    ${one('rate_min', '<')}, ${largest.map((name) => one(name, '>')).join(', ')}`);

/** Adds figures to what the bucket has already: of a master that was stopped within it. */
export const addPoints = writeOperation(
  'add_points',
  'upkeep',
  function* (points: readonly SeriesPoint[]): Steps<void> {
    yield* runEach(add, points);
  },
);
