import type { MasterConfig } from '../config/schema.js';
import type { Clock } from '../core/clock.js';
import type { InBackground } from '../core/context.js';
import type { Logger } from '../core/log.js';
import type { Metrics } from '../metrics.js';
import type { Store } from '../store/store.js';
import { Corpora } from './corpus/corpora.js';
import { Corpus, mergeWish } from './corpus/corpus.js';
import { Merges } from './corpus/merges.js';
import { ProjectRoom } from './corpus/project-room.js';
import { PutAside } from './corpus/put-aside.js';
import type { TargetJobsParts } from './corpus/target-jobs.js';
import { TargetUpkeep } from './corpus/target-upkeep.js';
import { corpusWork } from './corpus/upkeep.js';
import { CoverageReports } from './coverage/coverage.js';
import { CoverageGathering } from './coverage/gather.js';
import { CoverageMeasures } from './coverage/measure.js';
import { coverageWork } from './coverage/upkeep.js';
import type { Leases } from './leases/leases.js';

export interface CorpusPartsOf extends Pick<TargetJobsParts, 'newId' | 'dispatch'> {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inBackground: InBackground;
  readonly config: Readonly<MasterConfig>;
  readonly leases: Leases;
  readonly metrics: Metrics;
}

/** Puts the rules about corpora together, and about what they cover. */
export function corpusParts(of: CorpusPartsOf) {
  const { store, clock, config, leases, metrics } = of;
  const { merge, coverage, max_inputs, max_bytes, ...settings } = config.corpus;
  const bounds = { entries: max_inputs, bytes: max_bytes };
  const defaults = config.jobs;
  const merges = new Merges({ ...of, defaults, longestMs: settings.merge_time });
  const measures = new CoverageMeasures({ ...of, defaults, longestMs: settings.coverage_time });
  return {
    corpus: new Corpus({
      store,
      clock,
      leases,
      merge: mergeWish(merge),
      bounds,
      projectRoom: new ProjectRoom(store, clock, settings.max_project_bytes),
      refused: metrics.corpusInputsRefused,
    }),
    corpora: new Corpora(store, clock, bounds),
    putAside: new PutAside(store, clock),
    merges,
    corpusUpkeep: new TargetUpkeep(of, corpusWork(merges, merge !== 'off')),
    coverage: {
      measures,
      reports: new CoverageReports(store),
      gathering: new CoverageGathering(store, clock),
    },
    coverageUpkeep: new TargetUpkeep(of, coverageWork(measures, coverage !== 'off')),
  };
}
