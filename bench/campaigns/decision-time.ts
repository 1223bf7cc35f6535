import { ArmTurns } from '../../src/state/campaigns/arm-turns.js';
import { sharesOf } from '../../src/state/campaigns/shares.js';

const runMs = 600_000;
/** As many as a campaign may have. */
const mostBuilds = 20;
const [batches, batchSize] = [40, 500];

export interface DecisionTime {
  readonly builds: number;
  /** Of finding the build whose turn it is, whenever a slot is free; microseconds. */
  readonly turnUs: number;
  /** Of dealing shares anew with their reasons, whenever a run has ended; microseconds. */
  readonly sharesUs: number;
}

/** The best of many batches: what other processes take is not in it. */
export function decisionTime(): DecisionTime {
  const arms = Array.from({ length: mostBuilds }, (_, index) => ({
    ...{ build: `build-${index}`, runMs, trialLeft: 0, pinnedPercent: 0, held: '' },
    recent: { found: index / 3, hits: index / 4, ms: index * runMs, runs: index, stampMs: 0 },
  }));
  const all = arms.map(({ build }) => build);
  const turns = new ArmTurns();
  const shares = sharesOf(arms, { billedMs: 0, isEven: false });
  const parts = new Map([...shares].map(([build, { share }]) => [build, share]));
  let billedMs = 0;
  return {
    builds: mostBuilds,
    turnUs: bestOf(() => turns.take(parts, all, () => runMs)),
    sharesUs: bestOf(() => {
      billedMs += runMs;
      sharesOf(arms, { billedMs, isEven: false });
    }),
  };
}

function bestOf(work: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let batch = 0; batch < batches; batch++) {
    const startedAt = performance.now();
    for (let i = 0; i < batchSize; i++) work();
    best = Math.min(best, ((performance.now() - startedAt) * 1000) / batchSize);
  }
  return best;
}
