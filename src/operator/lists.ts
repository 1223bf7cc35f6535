import { unary } from '../client/call.js';
import type { Connection } from '../client/connect.js';
import type { Bot } from '../gen/pandafuzz/v1/bot.js';
import type { Crash, CrashGroup } from '../gen/pandafuzz/v1/crash.js';
import { ListCrashGroupsRequest } from '../gen/pandafuzz/v1/crash_service.js';
import type { Campaign, Job, JobState } from '../gen/pandafuzz/v1/job.js';
import type { CallOptions } from './submit.js';

const largestPage = 1000;

/** Reads pages until `limit` items or the end. */
async function upTo<Item>(
  limit: number,
  read: (page: {
    pageSize: number;
    pageToken: string;
  }) => Promise<{ items: readonly Item[]; nextPageToken: string }>,
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
export function listCrashGroups(
  { crashes }: Connection,
  filter: { limit: number },
  options: CallOptions = {},
): Promise<CrashGroup[]> {
  return upTo(filter.limit, async (page) => {
    const request = ListCrashGroupsRequest.create(page);
    const answer = await unary(crashes, crashes.listCrashGroups, request, options);
    return { items: answer.groups, nextPageToken: answer.nextPageToken };
  });
}

/** Newest first; empty ids mean all. */
export function listCrashes(
  { crashes }: Connection,
  filter: { groupId: string; jobId: string; limit: number },
  options: CallOptions = {},
): Promise<Crash[]> {
  return upTo(filter.limit, async (page) => {
    const request = { ...page, groupId: filter.groupId, jobId: filter.jobId };
    const answer = await unary(crashes, crashes.listCrashes, request, options);
    return { items: answer.crashes, nextPageToken: answer.nextPageToken };
  });
}
