import type { Bot } from '../gen/pandafuzz/v1/bot.js';
import { CampaignState, type FuzzingCampaign } from '../gen/pandafuzz/v1/campaign_service.js';
import type { Corpus } from '../gen/pandafuzz/v1/corpus_service.js';
import type { Coverage } from '../gen/pandafuzz/v1/coverage_service.js';
import type { Crash, CrashGroup } from '../gen/pandafuzz/v1/crash.js';
import { type AuditEntry, Role, type Token } from '../gen/pandafuzz/v1/identity_service.js';
import type { Campaign, Job } from '../gen/pandafuzz/v1/job.js';
import type { Secret } from '../gen/pandafuzz/v1/secret_service.js';
import type { Target } from '../gen/pandafuzz/v1/target.js';
import { botState, groupStatus, jobState } from './words.js';

/**
 * What lists can be put in order by: figures and times with the largest first, texts by the
 * alphabet, and what has none last.
 */
export type Sorts<Item> = Readonly<Record<string, (item: Item) => number | string | undefined>>;

export const jobSorts = {
  created: ({ createdAt }) => createdAt?.getTime(),
  target: ({ spec }) => spec && `${spec.project}/${spec.targetName}`,
  engine: ({ spec }) => spec?.engine,
  name: ({ spec }) => spec?.name || undefined,
  state: jobState,
  executions: ({ statistics }) => statistics?.executions,
  speed: ({ statistics }) => statistics?.executionsPerSecond,
  coverage: ({ statistics }) => statistics?.coverage,
  hits: ({ statistics }) => statistics?.crashHits,
} satisfies Sorts<Job>;

export const botSorts = {
  registered: ({ registeredAt }) => registeredAt?.getTime(),
  name: ({ name }) => name,
  state: botState,
  jobs: ({ runningJobs }) => runningJobs,
  slots: ({ slots }) => slots,
  seen: ({ lastSeenAt }) => lastSeenAt?.getTime(),
} satisfies Sorts<Bot>;

export const groupSorts = {
  target: ({ project, targetName }) => `${project}/${targetName}`,
  kind: ({ kind }) => kind,
  status: groupStatus,
  hits: ({ crashHits }) => crashHits,
  kept: ({ crashInputsKept }) => crashInputsKept,
  first: ({ firstFoundAt }) => firstFoundAt?.getTime(),
  last: ({ lastFoundAt }) => lastFoundAt?.getTime(),
} satisfies Sorts<CrashGroup>;

/** Those of groups that single crashes have too. */
export const crashSorts: Sorts<Crash> = {
  target: ({ targetName }) => targetName,
  kind: ({ kind }) => kind,
  hits: ({ hits }) => hits,
  first: ({ foundAt }) => foundAt?.getTime(),
};

export const coverageSorts = {
  target: ({ project, targetName }) => `${project}/${targetName}`,
  covered: ({ newest }) =>
    newest?.sums?.lines ? newest.sums.coveredLines / newest.sums.lines : undefined,
  lines: ({ newest }) => newest?.sums?.lines,
  reported: ({ newest }) => newest?.at?.getTime(),
} satisfies Sorts<Coverage>;

export const campaignSorts = {
  created: ({ createdAt }) => createdAt?.getTime(),
  name: ({ spec }) => spec && `${spec.project}/${spec.name}`,
  target: ({ spec }) => spec?.targetName,
  state: ({ state }) => CampaignState[state],
  running: ({ running }) => running,
  cpu: ({ cpuSeconds }) => cpuSeconds,
  finds: ({ findingRuns }) => findingRuns,
  find: ({ lastFindAt }) => lastFindAt?.getTime(),
  groups: ({ crashGroups }) => crashGroups,
} satisfies Sorts<FuzzingCampaign>;

export const shareSorts = {
  name: ({ key }) => key,
  weight: ({ weight }) => weight,
  running: ({ running }) => running,
  pending: ({ pending }) => pending,
} satisfies Sorts<Campaign>;

export const targetSorts = {
  name: ({ project, name }) => `${project}/${name}`,
  engine: ({ newest }) => newest?.engine,
  builds: ({ builds }) => builds,
  registered: ({ newest }) => newest?.registeredAt?.getTime(),
} satisfies Sorts<Target>;

export const corpusSorts = {
  name: ({ project, targetName }) => `${project}/${targetName}`,
  inputs: ({ entries }) => entries,
  size: ({ bytes }) => bytes,
  coverage: ({ lastMerge }) => lastMerge?.after?.coverage,
  merged: ({ lastMerge }) => lastMerge?.at?.getTime(),
} satisfies Sorts<Corpus>;

export const tokenSorts = {
  created: ({ createdAt }) => createdAt?.getTime(),
  name: ({ name }) => name,
  role: ({ role }) => Role[role],
  used: ({ lastUsedAt }) => lastUsedAt?.getTime(),
} satisfies Sorts<Token>;

export const secretSorts = {
  name: ({ name }) => name,
  set: ({ setAt }) => setAt?.getTime(),
} satisfies Sorts<Secret>;

export const auditSorts = {
  who: ({ caller }) => caller,
  from: ({ address }) => address,
  what: ({ method }) => method,
  outcome: ({ outcome }) => outcome,
} satisfies Sorts<AuditEntry>;

/** The items in another order; those that are alike stay as they were. */
export function inOrder<Item>(
  items: readonly Item[],
  sort: Sorts<Item>[string] | undefined,
): Item[] {
  if (!sort) return [...items];
  return items
    .map((item) => ({ item, by: sort(item) }))
    .sort((a, b) => compare(a.by, b.by))
    .map(({ item }) => item);
}

function compare(a: number | string | undefined, b: number | string | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? 1 : -1;
  if (typeof a === 'number' && typeof b === 'number') return b - a;
  return String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0;
}
