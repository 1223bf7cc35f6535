import { readOperation, writeOperation } from '../../operation.js';
import { all, runEach, type Steps, statement } from '../../statement.js';

/** Whose runs are counted together. */
export interface RunKey {
  readonly project: string;
  readonly targetName: string;
  readonly campaign: string;
  readonly engine: string;
}

/** What they have done in all. */
export interface RunTotals {
  executions: number;
  fuzzedMs: number;
  crashHits: number;
  newGroups: number;
}

export interface RunSumRow extends RunKey, Readonly<RunTotals> {
  /** When a run last added to it, ms since 1970. */
  readonly lastAt: number;
}

const select = statement<{ limit: number }, RunSumRow>(`
  SELECT project, target_name AS "targetName", campaign, engine, executions,
    fuzzed_ms AS "fuzzedMs", crash_hits AS "crashHits", new_groups AS "newGroups",
    last_at AS "lastAt"
  FROM run_sums WHERE project >= '' ORDER BY project, target_name, campaign, engine LIMIT @limit`);
const keep = statement<RunSumRow>(`
  INSERT INTO run_sums (project, target_name, campaign, engine, executions, fuzzed_ms, crash_hits,
    new_groups, last_at)
  VALUES (@project, @targetName, @campaign, @engine, @executions, @fuzzedMs, @crashHits,
    @newGroups, @lastAt)
  ON CONFLICT (project, target_name, campaign, engine) DO UPDATE SET
    executions = excluded.executions, fuzzed_ms = excluded.fuzzed_ms,
    crash_hits = excluded.crash_hits, new_groups = excluded.new_groups,
    last_at = excluded.last_at`);
const remove = statement<RunKey>(`
  DELETE FROM run_sums WHERE project = @project AND target_name = @targetName
    AND campaign = @campaign AND engine = @engine`);

export const loadRunSums = readOperation('load_run_sums', (input: { limit: number }) =>
  all(select, input),
);

/** Writes sums as they are, so that it may be repeated, and removes those of `gone`. */
export const keepRunSums = writeOperation(
  'keep_run_sums',
  'upkeep',
  function* (input: {
    readonly sums: readonly RunSumRow[];
    readonly gone: readonly RunKey[];
  }): Steps<void> {
    yield* runEach(remove, input.gone);
    yield* runEach(keep, input.sums);
  },
);
