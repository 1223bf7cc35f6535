import { readOperation } from '../../operation.js';
import { one, type Steps, statement } from '../../statement.js';

export interface RunFiguresOf {
  readonly campaigns: readonly string[];
  readonly targets: readonly { readonly project: string; readonly targetName: string }[];
}

export interface RunFiguresNow {
  /** Jobs that wait, of each of the campaigns, in their order. */
  readonly pending: readonly number[];
  /** Jobs that wait, of all campaigns. */
  readonly pendingInAll: number;
  /** The corpus of each of the targets, in their order. */
  readonly corpora: readonly { readonly entries: number; readonly bytes: number }[];
}

const waiting = statement<{ campaign: string }, { count: number }>(`
  SELECT CAST(coalesce(sum(pending), 0) AS BIGINT) AS count
  FROM queues WHERE campaign = @campaign`);
const waitingInAll = statement<object, { count: number }>(`
  SELECT CAST(coalesce(sum(value), 0) AS BIGINT) AS count
  FROM counters WHERE name = 'jobs.pending'`);

const corpusSize = statement<RunFiguresOf['targets'][number], { entries: number; bytes: number }>(`
  SELECT CAST(coalesce(sum(entries), 0) AS BIGINT) AS entries,
    CAST(coalesce(sum(bytes), 0) AS BIGINT) AS bytes
  FROM corpora JOIN corpus_sizes ON corpus_sizes.generation_id = corpora.generation_id
  WHERE project = @project AND target_name = @targetName`);

/** What is on disk of these campaigns and targets, from sums. Its cost is that of the lists. */
export const readRunFigures = readOperation(
  'read_run_figures',
  function* ({ campaigns, targets }: RunFiguresOf): Steps<RunFiguresNow> {
    const pending: number[] = [];
    for (const campaign of campaigns) pending.push((yield* one(waiting, { campaign }))?.count ?? 0);
    const corpora: { entries: number; bytes: number }[] = [];
    for (const { project, targetName } of targets) {
      const size = yield* one(corpusSize, { project, targetName });
      corpora.push(size ?? { entries: 0, bytes: 0 });
    }
    return { pending, pendingInAll: (yield* one(waitingInAll, {}))?.count ?? 0, corpora };
  },
);
