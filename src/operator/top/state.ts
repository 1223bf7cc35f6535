import { unary } from '../../client/call.js';
import type { Connection } from '../../client/connect.js';
import { CrashGroup } from '../../gen/pandafuzz/v1/crash.js';
import { Health, Problem, TargetProgress } from '../../gen/pandafuzz/v1/statistics_service.js';
import { GetSystemStatsResponse } from '../../gen/pandafuzz/v1/system_service.js';
import { listCrashGroups } from '../lists.js';
import type { CallOptions } from '../submit.js';

/** All that `top` shows of one moment. */
export interface TopState {
  /** Where the master listens. */
  readonly address: string;
  readonly at: Date;
  readonly stats: GetSystemStatsResponse;
  readonly problems: readonly Problem[];
  /** Those that need people first, then those that run. */
  readonly targets: readonly TargetProgress[];
  /** There are targets that were not read. */
  readonly areMore: boolean;
  /** The newest first. */
  readonly groups: readonly CrashGroup[];
}

export const sorts = ['health', 'name', 'find', 'speed', 'new'] as const;
export type Sort = (typeof sorts)[number];

/** Targets are read in pages up to so many. */
const mostTargets = 200;
const pageSize = 100;
const shownGroups = 10;

export async function readState(
  connection: Connection,
  project: string,
  options: CallOptions,
): Promise<TopState> {
  const { system, statistics, address } = connection;
  const [stats, { problems }, read, groups] = await Promise.all([
    unary(system, system.getSystemStats, {}, options),
    unary(statistics, statistics.listProblems, {}, options),
    readTargets(connection, project, options),
    listCrashGroups(connection, { project, limit: shownGroups }, options),
  ]);
  return { address, at: new Date(), stats, problems, ...read, groups };
}

async function readTargets({ statistics }: Connection, project: string, options: CallOptions) {
  const targets: TargetProgress[] = [];
  let pageToken = '';
  do {
    const page = { project, pageSize, pageToken };
    const answer = await unary(statistics, statistics.getProgress, page, options);
    targets.push(...answer.targets);
    pageToken = answer.nextPageToken;
  } while (pageToken !== '' && targets.length < mostTargets);
  return { targets, areMore: pageToken !== '' };
}

/** Those that need people first. */
const order = [
  ...[Health.CANNOT_FUZZ, Health.NO_BOTS, Health.WAITING, Health.FINDING, Health.SLOWING],
  ...[Health.FLAT, Health.PAUSED, Health.ENDED, Health.UNSPECIFIED],
];

export function sorted(targets: readonly TargetProgress[], by: Sort): TargetProgress[] {
  const find = ({ lastFindAt }: TargetProgress) => lastFindAt?.getTime() ?? 0;
  const rank = ({ health }: TargetProgress) => order.indexOf(health);
  const compare: Record<Sort, (a: TargetProgress, b: TargetProgress) => number> = {
    health: (a, b) => rank(a) - rank(b),
    name: () => 0,
    find: (a, b) => find(b) - find(a),
    speed: (a, b) => b.executionsPerSecond - a.executionsPerSecond,
    new: (a, b) => b.newGroups - a.newGroups || b.openGroups - a.openGroups,
  };
  // The master sends them by project and name, and sorting keeps that among equals.
  return [...targets].sort(compare[by]);
}

export const topJson = (state: TopState): object => ({
  at: state.at,
  stats: GetSystemStatsResponse.toJSON(state.stats),
  problems: state.problems.map(Problem.toJSON),
  targets: state.targets.map(TargetProgress.toJSON),
  groups: state.groups.map(CrashGroup.toJSON),
});
