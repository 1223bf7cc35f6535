import { unary } from '../client/call.js';
import type { Connection } from '../client/connect.js';
import { failureOf, isAway, isCancelled } from '../client/failure.js';
import { ago, clockTime } from './format.js';
import type { Resource } from './ids.js';
import type { CallOptions } from './submit.js';
import { botState, jobState, word } from './words.js';

/** What some ids stand for, in a few words each: for a person who has to choose one. */
export async function describeIds(
  connection: Connection,
  resource: Resource,
  ids: readonly string[],
  options: CallOptions,
): Promise<string[]> {
  if (resource === 'decision') return describeDecisions(connection, ids, options);
  const texts: string[] = [];
  for (const id of ids) {
    try {
      texts.push(await describe[resource](connection, id, options));
    } catch (error) {
      // It may have gone meanwhile; its id alone is shown then.
      if (isAway(error) || isCancelled(error) || failureOf(error) === undefined) throw error;
      texts.push('');
    }
  }
  return texts;
}

type Describe = (connection: Connection, id: string, options: CallOptions) => Promise<string>;

const describe: Record<Exclude<Resource, 'decision'>, Describe> = {
  async job({ jobs }, jobId, options) {
    const { job } = await unary(jobs, jobs.getJob, { jobId }, options);
    if (!job) return '';
    const { targetName = '', name = '' } = job.spec ?? {};
    const created = ago(job.createdAt, Date.now());
    return [targetName, name, jobState(job), `created ${created}`].filter(Boolean).join(', ');
  },
  async bot({ bots }, botId, options) {
    const { bot } = await unary(bots, bots.getBot, { botId }, options);
    return bot ? `${bot.name}, ${botState(bot)}` : '';
  },
  async crash({ crashes }, crashId, options) {
    const { crash } = await unary(crashes, crashes.getCrash, { crashId }, options);
    if (!crash) return '';
    const { kind, topFrame, targetName, foundAt } = crash;
    return `${kind} in ${topFrame} (${targetName}), found ${clockTime(foundAt, Date.now())}`;
  },
  async 'crash group'({ crashes }, groupId, options) {
    const { group } = await unary(crashes, crashes.getCrashGroup, { groupId }, options);
    return group ? `${group.kind} in ${group.topFrame} (${group.targetName})` : '';
  },
};

async function describeDecisions(
  { crashes }: Connection,
  ids: readonly string[],
  options: CallOptions,
): Promise<string[]> {
  const request = { pageSize: 1000, pageToken: '', groupId: '' };
  const { decisions } = await unary(crashes, crashes.listCrashDecisions, request, options);
  return ids.map((id) => {
    const decision = decisions.find((one) => one.id === id);
    return decision ? `${word(decision.kind)} by ${decision.by}` : '';
  });
}
