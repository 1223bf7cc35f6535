import type { Clock } from '../../core/clock.js';
import type { InBackground } from '../../core/context.js';
import {
  keepRunSums,
  loadRunSums,
  type RunKey,
  type RunSumRow,
  type RunTotals,
} from '../../store/ops/series/run-sums.js';
import type { Store } from '../../store/store.js';
import { type RunFigures, sumOf } from './curve.js';

/** Sums with a name of their own: each is a dozen lines of /metrics. */
export const mostSums = 200;
/** A sum that has been quiet for so long gives its place to another, ms: it was scraped since. */
const quietMs = 3_600_000;

/** The sum of all that have none of their own. */
export const rest: RunKey = {
  ...{ project: 'other', targetName: 'other', campaign: 'other', engine: 'other' },
};

const noTotals: Readonly<RunTotals> = { executions: 0, fuzzedMs: 0, crashHits: 0, newGroups: 0 };
const noLook = { running: 0, rate: 0, coverage: 0, features: 0 };

/** Of the runs of one project, target, campaign and engine. */
export class RunSum {
  /** Runs that are part of it now. */
  users = 0;
  /** What is on disk. Only that is shown, so that a master that is killed shows no less afterwards. */
  stored: Readonly<RunTotals>;
  /** Of the last look. */
  latest: Readonly<typeof noLook> = noLook;
  isChanged = false;
  lastAt: number;
  #look: typeof noLook | undefined;
  readonly #totals: RunTotals;

  constructor(
    readonly key: RunKey,
    { lastAt, ...totals }: Readonly<RunTotals> & { lastAt: number },
  ) {
    const { executions, fuzzedMs, crashHits, newGroups } = totals;
    this.#totals = { executions, fuzzedMs, crashHits, newGroups };
    this.stored = { ...this.#totals };
    this.lastAt = lastAt;
  }

  get row(): RunSumRow {
    return { ...this.key, ...this.#totals, lastAt: this.lastAt };
  }

  add(figures: Readonly<RunFigures>, now: number): void {
    const totals = this.#totals;
    for (const name of ['executions', 'fuzzedMs', 'crashHits', 'newGroups'] as const) {
      totals[name] = sumOf(totals[name], figures[name]);
      if (figures[name] > 0) this.isChanged = true;
    }
    this.lastAt = now;
    this.#look ??= { ...noLook };
    this.#look.running += figures.running;
    this.#look.rate += figures.rate;
    // Edges of two engines are never one figure.
    if (this.key.engine === rest.engine) return;
    this.#look.coverage = Math.max(this.#look.coverage, figures.coverage);
    this.#look.features = Math.max(this.#look.features, figures.features);
  }

  settle(): void {
    this.latest = this.#look ?? noLook;
    this.#look = undefined;
  }
}

export interface RunSumsParts {
  readonly store: Pick<Store, 'run'>;
  readonly clock: Clock;
  readonly inBackground: InBackground;
}

/**
 * What runs do and have done, in a bounded number of sums, for /metrics. The first ones have
 * sums of their own, all others share one; none ever moves to another, as counters must not
 * go down.
 */
export class RunSums {
  readonly #byKey = new Map<string, RunSum>();
  /** Rows on disk that are to go. */
  #gone: RunKey[] = [];

  constructor(
    private readonly parts: RunSumsParts,
    private readonly most = mostSums,
  ) {}

  /** Loads what an earlier process has counted. */
  async restore(): Promise<void> {
    const { store, inBackground } = this.parts;
    const limit = this.most + 1;
    const rows = await inBackground('load_run_sums', (ctx) =>
      store.run(ctx, loadRunSums, { limit }),
    );
    for (const { project, targetName, campaign, engine, ...sums } of rows) {
      const found = { project, targetName, campaign, engine };
      const key = nameOf(found) === nameOf(rest) ? rest : found;
      this.#byKey.set(nameOf(key), new RunSum(key, sums));
    }
  }

  all(): Iterable<RunSum> {
    return this.#byKey.values();
  }

  /** The sum that runs with this key are part of. */
  of(of: RunKey): RunSum {
    const key = printable(of);
    const known = this.#byKey.get(nameOf(key));
    if (known) return known;
    const others = this.#byKey.size - Number(this.#byKey.has(nameOf(rest)));
    if (others < this.most || this.#makeRoom()) return this.#make(key);
    return this.#byKey.get(nameOf(rest)) ?? this.#make(rest);
  }

  /** Ends a look. */
  settle(): void {
    for (const sum of this.#byKey.values()) sum.settle();
  }

  /** Writes what has changed. */
  async keep(): Promise<void> {
    const changed = [...this.#byKey.values()].filter(({ isChanged }) => isChanged);
    const gone = this.#gone;
    if (changed.length === 0 && gone.length === 0) return;
    const sums = changed.map(({ row }) => row);
    const { store, inBackground } = this.parts;
    await inBackground('keep_run_sums', (ctx) => store.run(ctx, keepRunSums, { sums, gone }));
    this.#gone = this.#gone.slice(gone.length);
    for (const [index, sum] of changed.entries()) this.#isStored(sum, sums[index] as RunSumRow);
  }

  #isStored(sum: RunSum, row: RunSumRow): void {
    const { executions, fuzzedMs, crashHits, newGroups } = row;
    sum.stored = { executions, fuzzedMs, crashHits, newGroups };
    // More may have come while it was written.
    const now = sum.row;
    sum.isChanged = (Object.keys(noTotals) as (keyof RunTotals)[]).some(
      (name) => now[name] !== row[name],
    );
  }

  #make(key: RunKey): RunSum {
    const sum = new RunSum(key, { ...noTotals, lastAt: this.parts.clock.now() });
    this.#byKey.set(nameOf(key), sum);
    return sum;
  }

  /** Ends the sum that has been quiet for longest, if there is one that is quiet. */
  #makeRoom(): boolean {
    const before = this.parts.clock.now() - quietMs;
    let oldest: RunSum | undefined;
    for (const sum of this.#byKey.values()) {
      const isQuiet = sum.users === 0 && !sum.isChanged && sum.lastAt < before;
      if (isQuiet && sum.key.engine !== rest.engine && sum.lastAt < (oldest?.lastAt ?? before)) {
        oldest = sum;
      }
    }
    if (!oldest) return false;
    this.#byKey.delete(nameOf(oldest.key));
    this.#gone.push(oldest.key);
    return true;
  }
}

const nameOf = ({ project, targetName, campaign, engine }: RunKey): string =>
  JSON.stringify([project, targetName, campaign, engine]);

/** Two names must not become one on their way to a scraper: it would refuse the whole scrape. */
const printable = (key: RunKey): RunKey => ({
  project: clean(key.project),
  targetName: clean(key.targetName),
  campaign: clean(key.campaign),
  engine: clean(key.engine),
});
const clean = (text: string): string => text.toWellFormed().replace(/\p{Cc}/gu, '\ufffd');
