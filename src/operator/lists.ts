import { unary } from '../client/call.js';
import type { Connection } from '../client/connect.js';
import type { Bot } from '../gen/pandafuzz/v1/bot.js';
import type { CampaignEvent, FuzzingCampaign } from '../gen/pandafuzz/v1/campaign_service.js';
import type { Crash, CrashDecision, CrashGroup } from '../gen/pandafuzz/v1/crash.js';
import { ListCrashGroupsRequest } from '../gen/pandafuzz/v1/crash_service.js';
import type { Campaign, Job, JobState } from '../gen/pandafuzz/v1/job.js';
import type { ListJobsRequest } from '../gen/pandafuzz/v1/job_service.js';
import type { Target } from '../gen/pandafuzz/v1/target.js';
import type { GroupFilter } from './crashes/filter.js';
import { each, type Page, type PageRequest, type ReadPage, upTo } from './pages.js';
import type { CallOptions } from './submit.js';

export type JobFilter = Omit<ListJobsRequest, keyof PageRequest>;

/** Newest first. */
export const jobPages =
  ({ jobs }: Connection, filter: JobFilter, options: CallOptions = {}): ReadPage<Job> =>
  async (page) => {
    const answer = await unary(jobs, jobs.listJobs, { ...page, ...filter }, options);
    return { items: answer.jobs, nextPageToken: answer.nextPageToken };
  };

/** Newest first. */
export function listJobs(
  connection: Connection,
  { limit, ...filter }: { state: JobState; limit: number },
  options: CallOptions = {},
): Promise<Job[]> {
  return upTo(limit, jobPages(connection, filter, options));
}

/** Newest first. */
export const botPages =
  ({ bots }: Connection, options: CallOptions = {}): ReadPage<Bot> =>
  async (page) => {
    const answer = await unary(bots, bots.listBots, page, options);
    return { items: answer.bots, nextPageToken: answer.nextPageToken };
  };

/** Newest first. */
export function listBots(
  connection: Connection,
  filter: { limit: number },
  options: CallOptions = {},
): Promise<Bot[]> {
  return upTo(filter.limit, botPages(connection, options));
}

/** By project and name. */
export const targetPages =
  ({ targets }: Connection, project: string, options: CallOptions = {}): ReadPage<Target> =>
  async (page) => {
    const answer = await unary(targets, targets.listTargets, { ...page, project }, options);
    return { items: answer.targets, nextPageToken: answer.nextPageToken };
  };

/** By key. */
export const sharePages =
  ({ jobs }: Connection, options: CallOptions = {}): ReadPage<Campaign> =>
  async (page) => {
    const answer = await unary(jobs, jobs.listCampaigns, page, options);
    return { items: answer.campaigns, nextPageToken: answer.nextPageToken };
  };

/** Newest first. */
export const campaignPages =
  (
    { campaigns }: Connection,
    filter: { project: string; archived: boolean },
    options: CallOptions = {},
  ): ReadPage<FuzzingCampaign> =>
  async (page) => {
    const answer = await unary(campaigns, campaigns.listCampaigns, { ...page, ...filter }, options);
    return { items: answer.campaigns, nextPageToken: answer.nextPageToken };
  };

/** What happened to a campaign, newest first. */
export const historyPages =
  (
    { campaigns }: Connection,
    named: { project: string; campaign: string },
    options: CallOptions = {},
  ): ReadPage<CampaignEvent> =>
  async (page) => {
    const answer = await unary(
      campaigns,
      campaigns.listCampaignHistory,
      { ...page, ...named },
      options,
    );
    return { items: answer.events, nextPageToken: answer.nextPageToken };
  };

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

/** Newest first. */
export const groupPages =
  (connection: Connection, filter: GroupFilter, options: CallOptions = {}): ReadPage<CrashGroup> =>
  (page) =>
    groupPage(connection, filter, page, options);

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

/** Newest first; empty ids mean all. */
export const crashPages =
  (
    connection: Connection,
    filter: { groupId: string; jobId: string },
    options: CallOptions = {},
  ): ReadPage<Crash> =>
  (page) =>
    crashPage(connection, filter, page, options);

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
export const decisionPages =
  ({ crashes }: Connection, groupId: string, options: CallOptions = {}): ReadPage<CrashDecision> =>
  async (page) => {
    const answer = await unary(crashes, crashes.listCrashDecisions, { ...page, groupId }, options);
    return { items: answer.decisions, nextPageToken: answer.nextPageToken };
  };
