import { unary } from '../client/call.js';
import { type Connection, connect } from '../client/connect.js';
import { givenTls } from '../config/caller-tls.js';
import { givenToken } from '../config/token.js';
import { CampaignState } from '../gen/pandafuzz/v1/campaign_service.js';
import { ListCrashGroupsRequest } from '../gen/pandafuzz/v1/crash_service.js';
import { JobState } from '../gen/pandafuzz/v1/job.js';
import { plain } from './format.js';
import type { Flags } from './session.js';
import { shortIds } from './short-ids.js';
import type { CallOptions } from './submit.js';
import { botState, groupStatus, jobState, word } from './words.js';

/** Names that a shell offers, of what a master knows. */

export interface Name {
  readonly name: string;
  /** For people, in one line. */
  readonly about: string;
}

type Where = Omit<Flags, 'timeout' | 'json'> & { readonly project?: string };
export const nameKinds = ['target', 'bot', 'job', 'campaign', 'group', 'project'] as const;
export type NameKind = (typeof nameKinds)[number];

/** A person waits for the shell: a master has so long to answer, its connection included. */
const usualWaitMs = 300;
const longestWaitMs = 60_000;

/** PANDAFUZZ_COMPLETION_WAIT, milliseconds, for a master that is far away. */
function waitMs(): number {
  const wanted = Number(process.env['PANDAFUZZ_COMPLETION_WAIT']);
  return wanted >= 1 ? Math.trunc(Math.min(wanted, longestWaitMs)) : usualWaitMs;
}

/** One page: as many as a person looks through. */
const most = 200;

/** @throws what keeps a master from answering in time */
export async function namesOf(kind: NameKind, where: Where): Promise<Name[]> {
  const token = givenToken(where.tokenFile, process.env);
  const tls = givenTls(where, process.env);
  const connection = connect(where.master, { tls, ...(token && { token: () => token }) });
  const timeoutMs = waitMs();
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    await connection.reach(signal);
    const options = { timeoutMs, signal };
    const found = await read[kind](connection, where.project ?? '', options);
    return found
      .filter(({ name }) => isPlain(name))
      .map((one) => ({ ...one, about: plain(one.about) }));
  } finally {
    connection.close();
  }
}

/** Whether a shell takes it for one word and nothing else: others have to be typed. */
const isPlain = (name: string) => /^[A-Za-z0-9._@%+,/][A-Za-z0-9._@%+,/-]*$/.test(name);

const page = { pageSize: most, pageToken: '' };

const read: Record<
  NameKind,
  (connection: Connection, project: string, options: CallOptions) => Promise<Name[]>
> = {
  async target({ targets }, project, options) {
    const answer = await unary(targets, targets.listTargets, { ...page, project }, options);
    return once(answer.targets.map((one) => ({ name: one.name, about: `of ${one.project}` })));
  },
  async project({ targets }, _, options) {
    const answer = await unary(targets, targets.listTargets, { ...page, project: '' }, options);
    return once(answer.targets.map((one) => ({ name: one.project, about: 'project' })));
  },
  async bot({ bots }, _, options) {
    const answer = await unary(bots, bots.listBots, page, options);
    return answer.bots.map((bot) => ({ name: bot.name, about: botState(bot) }));
  },
  async job({ jobs }, _, options) {
    const request = { ...page, state: JobState.UNSPECIFIED };
    const answer = await unary(jobs, jobs.listJobs, request, options);
    const short = shortIds(answer.jobs.map(({ id }) => id));
    return answer.jobs.map((job) => ({
      name: short(job.id),
      about: `${jobState(job)} ${job.spec?.targetName ?? ''} ${job.spec?.name ?? ''}`.trim(),
    }));
  },
  async campaign({ campaigns }, project, options) {
    const request = { ...page, project, archived: false };
    const answer = await unary(campaigns, campaigns.listCampaigns, request, options);
    return answer.campaigns.map(({ spec, state }) => ({
      name: spec?.name ?? '',
      about: word(CampaignState[state]),
    }));
  },
  async group({ crashes }, project, options) {
    const request = ListCrashGroupsRequest.create({ ...page, project });
    const answer = await unary(crashes, crashes.listCrashGroups, request, options);
    const short = shortIds(answer.groups.map(({ id }) => id));
    return answer.groups.map((group) => ({
      name: short(group.id),
      about: `${groupStatus(group)} ${group.kind} in ${group.topFrame}`,
    }));
  },
};

/** Each name once. */
const once = (names: readonly Name[]): Name[] => [
  ...new Map(names.map((one) => [one.name, one])).values(),
];
