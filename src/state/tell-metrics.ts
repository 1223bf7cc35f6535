import type { InBackground } from '../core/context.js';
import { atMost } from '../metrics/at-most.js';
import type { Metrics } from '../metrics.js';
import { readCounters } from '../store/ops/upkeep/read-counters.js';
import type { Store } from '../store/store.js';
import type { Holds } from './bots/holds.js';
import type { Sessions } from './bots/sessions.js';
import type { Leases } from './leases/leases.js';
import type { Collector } from './series/collector.js';
import { fuzzingFigures } from './series/fuzzing-figures.js';

interface Sources {
  readonly store: Pick<Store, 'run'>;
  readonly inBackground: InBackground;
  readonly sessions: Sessions;
  readonly holds: Holds;
  readonly leases: Leases;
  readonly collector: Collector;
}

/** Gives /metrics what it reads of the rules. */
export function tellMetrics(metrics: Metrics, sources: Sources): void {
  const { store, inBackground, sessions, holds, leases, collector } = sources;
  const counters = atMost(() =>
    inBackground('read_counters', (ctx) => store.run(ctx, readCounters, null)),
  );
  metrics.watchCounters(counters);
  metrics.watchFleet({
    botsOnline: () => sessions.online,
    botsHeldBack: () => holds.waiting,
    botsUnwell: () => sessions.unwell,
    leasesHeld: () => leases.size,
  });
  const parts = { store, leases, inBackground, sums: collector.sums };
  metrics.watchFuzzing({
    counters,
    botsByState: () => sessions.byState,
    figures: atMost(() => fuzzingFigures(parts)),
  });
}
