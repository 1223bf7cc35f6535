import { unary } from '../client/call.js';
import type { Connection } from '../client/connect.js';
import type { Bot } from '../gen/pandafuzz/v1/bot.js';
import type { CampaignEvent, FuzzingCampaign } from '../gen/pandafuzz/v1/campaign_service.js';
import type { Crash, CrashDecision, CrashGroup } from '../gen/pandafuzz/v1/crash.js';
import { ListCrashGroupsRequest } from '../gen/pandafuzz/v1/crash_service.js';
import type { Campaign, Job, JobState } from '../gen/pandafuzz/v1/job.js';
import type { Target } from '../gen/pandafuzz/v1/target.js';
import type { GroupFilter } from './crashes/filter.js';
import type { CallOptions } from './submit.js';

const largestPage = 1000;

interface PageRequest {
  readonly pageSize: number;
  readonly pageToken: string;
}

interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextPageToken: string;
}

/** Reads pages until `limit` items or the end. */
async function upTo<Item>(
  limit: number,
  read: (page: PageRequest) => Promise<Page<Item>>,
): Promise<Item[]> {
  const all: Item[] = [];
  for (let pageToken = ''; ; ) {
    const pageSize = Math.min(limit - all.length, largestPage);
    const page = await read({ pageSize, pageToken });
    all.push(...page.items);
    pageToken = page.nextPageToken;
    if (pageToken === '' || all.length >= limit) return all;
  }
}

/** Reads the next page when all of the one before have been taken. */
async function* each<Item>(read: (page: PageRequest) => Promise<Page<Item>>): AsyncGenerator<Item> {
  const pageSize = 100;
  let pageToken = '';
  do {
    const page = await read({ pageSize, pageToken });
    yield* page.items;
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
}

/** Newest first. */
export function listJobs(
  { jobs }: Connection,
  filter: { state: JobState; limit: number },
  options: CallOptions = {},
): Promise<Job[]> {
  return upTo(filter.limit, async (page) => {
    const request = { ...page, state: filter.state };
    const answer = await unary(jobs, jobs.listJobs, request, options);
    return { items: answer.jobs, nextPageToken: answer.nextPageToken };
  });
}

/** Newest first. */
export function listBots(
  { bots }: Connection,
  filter: { limit: number },
  options: CallOptions = {},
): Promise<Bot[]> {
  return upTo(filter.limit, async (page) => {
    const answer = await unary(bots, bots.listBots, page, options);
    return { items: answer.bots, nextPageToken: answer.nextPageToken };
  });
}

/** By project and name. */
export function listTargets(
  { targets }: Connection,
  filter: { project: string; limit: number },
  options: CallOptions = {},
): Promise<Target[]> {
  return upTo(filter.limit, async (page) => {
    const request = { ...page, project: filter.project };
    const answer = await unary(targets, targets.listTargets, request, options);
    return { items: answer.targets, nextPageToken: answer.nextPageToken };
  });
}

/** By key. */
export function listCampaigns(
  { jobs }: Connection,
  filter: { limit: number },
  options: CallOptions = {},
): Promise<Campaign[]> {
  return upTo(filter.limit, async (page) => {
    const answer = await unary(jobs, jobs.listCampaigns, page, options);
    return { items: answer.campaigns, nextPageToken: answer.nextPageToken };
  });
}

/** Newest first. */
export function listFuzzingCampaigns(
  { campaigns }: Connection,
  { limit, ...filter }: { project: string; archived: boolean; limit: number },
  options: CallOptions = {},
): Promise<FuzzingCampaign[]> {
  return upTo(limit, async (page) => {
    const answer = await unary(campaigns, campaigns.listCampaigns, { ...page, ...filter }, options);
    return { items: answer.campaigns, nextPageToken: answer.nextPageToken };
  });
}

/** What happened to a campaign, newest first. */
export function listHistory(
  { campaigns }: Connection,
  { limit, ...named }: { project: string; campaign: string; limit: number },
  options: CallOptions = {},
): Promise<CampaignEvent[]> {
  return upTo(limit, async (page) => {
    const request = { ...page, ...named };
    const answer = await unary(campaigns, campaigns.listCampaignHistory, request, options);
    return { items: answer.events, nextPageToken: answer.nextPageToken };
  });
}

/** Newest first. */
export function listCrashGroups(
  connection: Connection,
  filter: GroupFilter & { limit: number },
  options: CallOptions = {},
): Promise<CrashGroup[]> {
  const { limit, ...rest } = filter;
  return upTo(limit, (page) => groupPage(connection, rest, page, options));
}

/** Every group that matches, newest first, without holding them all. */
export function eachCrashGroup(
  connection: Connection,
  filter: GroupFilter,
  options: CallOptions = {},
): AsyncGenerator<CrashGroup> {
  return each((page) => groupPage(connection, filter, page, options));
}

async function groupPage(
  { crashes }: Connection,
  filter: GroupFilter,
  page: PageRequest,
  options: CallOptions,
): Promise<Page<CrashGroup>> {
  const request = ListCrashGroupsRequest.create({ ...filter, ...page });
  const answer = await unary(crashes, crashes.listCrashGroups, request, options);
  return { items: answer.groups, nextPageToken: answer.nextPageToken };
}

/** Newest first; empty ids mean all. */
export function listCrashes(
  connection: Connection,
  filter: { groupId: string; jobId: string; limit: number },
  options: CallOptions = {},
): Promise<Crash[]> {
  return upTo(filter.limit, (page) => crashPage(connection, filter, page, options));
}

/** Every crash of a group or a job, newest first, without holding them all. */
export function eachCrash(
  connection: Connection,
  filter: { groupId?: string; jobId?: string },
  options: CallOptions = {},
): AsyncGenerator<Crash> {
  return each((page) => crashPage(connection, filter, page, options));
}

async function crashPage(
  { crashes }: Connection,
  { groupId = '', jobId = '' }: { groupId?: string; jobId?: string },
  page: PageRequest,
  options: CallOptions,
): Promise<Page<Crash>> {
  const answer = await unary(crashes, crashes.listCrashes, { ...page, groupId, jobId }, options);
  return { items: answer.crashes, nextPageToken: answer.nextPageToken };
}

/** Newest first; an empty id means those of all groups. */
export function listCrashDecisions(
  { crashes }: Connection,
  filter: { groupId: string; limit: number },
  options: CallOptions = {},
): Promise<CrashDecision[]> {
  return upTo(filter.limit, async (page) => {
    const request = { ...page, groupId: filter.groupId };
    const answer = await unary(crashes, crashes.listCrashDecisions, request, options);
    return { items: answer.decisions, nextPageToken: answer.nextPageToken };
  });
}
