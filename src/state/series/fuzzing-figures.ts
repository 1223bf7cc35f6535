import type { InBackground } from '../../core/context.js';
import type { FuzzingFigures } from '../../metrics/fuzzing.js';
import { readRunFigures } from '../../store/ops/series/read-run-figures.js';
import type { Store } from '../../store/store.js';
import type { Leases } from '../leases/leases.js';
import { type RunSums, rest } from './run-sums.js';

export interface FuzzingFiguresParts {
  readonly store: Pick<Store, 'run'>;
  readonly leases: Pick<Leases, 'countOfCampaign' | 'size'>;
  readonly sums: RunSums;
  readonly inBackground: InBackground;
}

/** What /metrics shows of fuzzing: the sums in memory, and a look-up for each of their names. */
export async function fuzzingFigures(parts: FuzzingFiguresParts): Promise<FuzzingFigures> {
  const { store, leases, inBackground } = parts;
  const sums = [...parts.sums.all()];
  const own = sums.filter(({ key }) => key !== rest).map(({ key }) => key);
  const campaigns = [...new Set(own.map(({ campaign }) => campaign))];
  const targets = new Map(
    own
      .filter(({ targetName }) => targetName !== '')
      .map(({ project, targetName }) => [`${project}/${targetName}`, { project, targetName }]),
  );
  const of = { campaigns, targets: [...targets.values()] };
  const found = await inBackground('read_run_figures', (ctx) => store.run(ctx, readRunFigures, of));
  const named = campaigns.map((campaign, index) => {
    const running = leases.countOfCampaign(campaign);
    return { campaign, pending: found.pending[index] ?? 0, running };
  });
  return {
    runs: sums.map(({ key: { targetName: target, project, campaign, engine }, ...sum }) => ({
      labels: { project, target, campaign, engine },
      ...sum.stored,
      ...sum.latest,
    })),
    campaigns: withOthers(named, { pending: found.pendingInAll, running: leases.size }),
    corpora: of.targets.map(({ project, targetName: target }, index) => {
      const { entries = 0, bytes = 0 } = found.corpora[index] ?? {};
      return { project, target, inputs: entries, bytes };
    }),
  };
}

type OfCampaign = FuzzingFigures['campaigns'][number];

/** Adds what is not of these to the one that is called as the rest is. */
function withOthers(
  named: readonly OfCampaign[],
  all: { pending: number; running: number },
): readonly OfCampaign[] {
  const left = { ...all };
  for (const { pending, running } of named) {
    left.pending -= pending;
    left.running -= running;
  }
  const same = named.find(({ campaign }) => campaign === rest.campaign);
  const others = {
    campaign: rest.campaign,
    pending: Math.max(left.pending, 0) + (same?.pending ?? 0),
    running: Math.max(left.running, 0) + (same?.running ?? 0),
  };
  return [...named.filter((one) => one !== same), others];
}
