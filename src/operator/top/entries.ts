import { inProject } from '../../core/project.js';
import { CampaignState } from '../../gen/pandafuzz/v1/campaign_service.js';
import {
  type CampaignProgress,
  Health,
  type TargetProgress,
} from '../../gen/pandafuzz/v1/statistics_service.js';

/** A line of the table: a campaign with its target, or a target that has none. */
export interface Entry {
  /** With its project, unless that is the default one. */
  readonly name: string;
  readonly target: TargetProgress;
  readonly campaign: CampaignProgress | undefined;
  readonly health: Health;
  readonly reason: string;
  readonly executionsPerSecond: number;
  readonly running: number;
}

export const sorts = ['health', 'name', 'find', 'speed', 'new'] as const;
export type Sort = (typeof sorts)[number];

/** Of a campaign that makes no runs. */
const still: Readonly<Partial<Record<CampaignState, Health>>> = {
  [CampaignState.PAUSED]: Health.PAUSED,
  [CampaignState.ENDED]: Health.ENDED,
};

export function entriesOf(targets: readonly TargetProgress[]): Entry[] {
  return targets.flatMap((target): Entry[] => {
    const { project, name, health, reason, executionsPerSecond, running } = target;
    const titled = (title: string) => inProject(project, title);
    if (target.campaigns.length === 0) {
      const figures = { health, reason, executionsPerSecond, running };
      return [{ name: titled(name), target, campaign: undefined, ...figures }];
    }
    return target.campaigns.map((campaign) => {
      const own = still[campaign.state];
      return {
        ...{ name: titled(campaign.name), target, campaign, health: own ?? health },
        reason: own === undefined ? reason : campaign.stateReason || 'it makes no runs',
        executionsPerSecond: campaign.executionsPerSecond,
        running: campaign.running,
      };
    });
  });
}

/** Those that need people first. */
const order = [
  ...[Health.CANNOT_FUZZ, Health.NO_BOTS, Health.WAITING, Health.FINDING, Health.SLOWING],
  ...[Health.FLAT, Health.PAUSED, Health.ENDED, Health.UNSPECIFIED],
];

export function sorted(entries: readonly Entry[], by: Sort): Entry[] {
  const find = ({ target }: Entry) => target.lastFindAt?.getTime() ?? 0;
  const rank = ({ health }: Entry) => order.indexOf(health);
  const compare: Record<Sort, (a: Entry, b: Entry) => number> = {
    health: (a, b) => rank(a) - rank(b),
    name: () => 0,
    find: (a, b) => find(b) - find(a),
    speed: (a, b) => b.executionsPerSecond - a.executionsPerSecond,
    new: (a, b) =>
      b.target.newGroups - a.target.newGroups || b.target.openGroups - a.target.openGroups,
  };
  // The master sends them by project and name, and sorting keeps that among equals.
  return [...entries].sort(compare[by]);
}
