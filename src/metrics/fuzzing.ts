import type { Registry } from 'prom-client';
import type { ScrapeRead } from './at-most.js';
import { readMetric, type Sample } from './read-metric.js';

/** Runs that have a series together, and what they do. */
export interface RunSeries {
  readonly labels: Readonly<Record<'project' | 'target' | 'campaign' | 'engine', string>>;
  readonly executions: number;
  readonly fuzzedMs: number;
  readonly crashHits: number;
  readonly newGroups: number;
  readonly running: number;
  readonly rate: number;
  /** 0: not known now. */
  readonly coverage: number;
  readonly features: number;
}

/** What there is to know of fuzzing on a scrape; each list is bounded. */
export interface FuzzingFigures {
  readonly runs: readonly RunSeries[];
  readonly campaigns: readonly { campaign: string; pending: number; running: number }[];
  readonly corpora: readonly { project: string; target: string; inputs: number; bytes: number }[];
}

export interface FuzzingSources {
  readonly counters: ScrapeRead<Readonly<Record<string, number>>>;
  /** Bots online, by state. */
  readonly botsByState: () => Readonly<Record<string, number>>;
  readonly figures: ScrapeRead<FuzzingFigures>;
}

const jobStates = ['pending', 'assigned', 'running', 'completed', 'cancelled', 'dead', 'paused'];

/** Metrics of what the fleet does. Everything is read on a scrape, and nothing without one. */
export function watchFuzzing(registry: Registry, sources: FuzzingSources): void {
  ofRuns(registry, sources);
  ofFleet(registry, sources);
}

function ofRuns(registry: Registry, { figures }: FuzzingSources): void {
  const define =
    (type: 'counter' | 'gauge') =>
    (name: string, help: string, of: (run: RunSeries) => number | undefined) =>
      readMetric(registry, { name: `pandafuzz_${name}`, help, type }, async () =>
        ((await figures())?.runs ?? []).flatMap((run): Sample[] => {
          const value = of(run);
          return value === undefined ? [] : [[run.labels, value]];
        }),
      );
  const [counter, gauge] = [define('counter'), define('gauge')];
  counter('executions_total', 'Inputs that targets were run with.', (run) => run.executions);
  counter('fuzzing_seconds_total', 'Time for which runs have fuzzed.', (run) => run.fuzzedMs / 1e3);
  counter('crash_hits_total', 'Times that runs met a crash.', (run) => run.crashHits);
  counter('crash_groups_found_total', 'New groups of crashes.', (run) => run.newGroups);
  gauge('executions_per_second', 'Executions in a second, of all runs.', (run) => run.rate);
  gauge('runs', 'Runs under way that have sent figures.', (run) => run.running);
  gauge(
    'coverage',
    'Most edges or blocks that a run under way covers, as its engine counts.',
    (run) => run.coverage || undefined,
  );
  gauge(
    'features',
    'Most features that a run under way covers, as its engine counts.',
    (run) => run.features || undefined,
  );
}

function ofFleet(registry: Registry, { figures, counters, botsByState }: FuzzingSources): void {
  const gauge = (name: string, help: string, read: () => Promise<Iterable<Sample>>) =>
    readMetric(registry, { name: `pandafuzz_${name}`, help, type: 'gauge' }, read);
  gauge('jobs', 'Jobs on record, by state.', async () => {
    const counts = await counters();
    return counts ? jobStates.map((state) => [{ state }, counts[`jobs.${state}`] ?? 0]) : [];
  });
  gauge('bots', 'Bots on record: offline, or what those online do about new jobs.', async () => {
    const counts = await counters();
    const online = Object.entries(botsByState());
    const sum = online.reduce((total, [, count]) => total + count, 0);
    const offline = counts && Math.max((counts['bots'] ?? 0) - sum, 0);
    const all = offline === undefined ? online : [...online, ['offline', offline] as const];
    return all.map(([state, count]): Sample => [{ state }, count]);
  });
  gauge('campaign_jobs', 'Jobs of a campaign: pending, or with a bot.', async () =>
    ((await figures())?.campaigns ?? []).flatMap(({ campaign, pending, running }): Sample[] => [
      [{ campaign, state: 'pending' }, pending],
      [{ campaign, state: 'running' }, running],
    ]),
  );
  const ofCorpora = (name: string, help: string, figure: 'inputs' | 'bytes') =>
    gauge(name, help, async () =>
      ((await figures())?.corpora ?? []).map(
        ({ project, target, [figure]: value }): Sample => [{ project, target }, value],
      ),
    );
  ofCorpora('corpus_inputs', 'Inputs in the corpus of a target that has series.', 'inputs');
  ofCorpora('corpus_bytes', 'Bytes of the corpus of a target that has series.', 'bytes');
}
