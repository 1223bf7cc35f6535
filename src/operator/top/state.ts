import { unary } from '../../client/call.js';
import type { Connection } from '../../client/connect.js';
import { CrashGroup } from '../../gen/pandafuzz/v1/crash.js';
import { Problem, TargetProgress } from '../../gen/pandafuzz/v1/statistics_service.js';
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
  /** By project and name. */
  readonly targets: readonly TargetProgress[];
  /** There are targets that were not read. */
  readonly areMore: boolean;
  /** The newest first. */
  readonly groups: readonly CrashGroup[];
}

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

export const topJson = (state: TopState): object => ({
  at: state.at,
  stats: GetSystemStatsResponse.toJSON(state.stats),
  problems: state.problems.map(Problem.toJSON),
  targets: state.targets.map(TargetProgress.toJSON),
  groups: state.groups.map(CrashGroup.toJSON),
});
