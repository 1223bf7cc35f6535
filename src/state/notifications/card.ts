import type { EventKind } from '../../core/event-kinds.js';
import { inProject } from '../../core/project.js';
import { plain } from '../../core/unseen.js';
import type { Delivery, Sent } from './delivery.js';
import { locationOf } from './message.js';

/**
 * A notice for people: what chats and mail make their own form of, each in one file that makes
 * foreign text harmless there. Kinds, functions, messages and names are written by targets and bots.
 */
export interface Card {
  readonly title: string;
  readonly tone: 'bad' | 'good' | 'neutral';
  /** Labels are ours, values are foreign. */
  readonly facts: readonly (readonly [label: string, value: string])[];
  /** A command that shows more; empty: there is none. */
  readonly command: string;
  readonly time: string;
}

/** Characters of a title, and of a value: well below what any chat cuts off. */
const longestTitle = 140;
const longestValue = 400;

const titles: Readonly<Record<EventKind, string>> = {
  'crash_group.new': 'New crash',
  'crash_group.reopened': 'A fixed crash is back',
  'crash_group.fixed': 'Crash fixed',
  'campaign.ended': 'Campaign ended',
  'campaign.stuck': 'Campaign stuck',
  'campaign.unstuck': 'Campaign goes on',
  'bot.lost': 'lost',
  'bot.back': 'back',
};
const good: readonly string[] = ['crash_group.fixed', 'campaign.unstuck', 'bot.back'];
const neutral: readonly string[] = ['campaign.ended', 'test'];

export function cardOf({ event, time, sent }: Delivery): Card {
  const { title, facts, command } = contentOf(sent);
  const isGood = good.includes(event);
  return {
    title: shown(title, longestTitle),
    tone: isGood ? 'good' : neutral.includes(event) ? 'neutral' : 'bad',
    facts: facts
      .filter(([, value]) => value !== '')
      .map(([label, value]) => [label, shown(value, longestValue)] as const),
    command,
    time: new Date(time).toISOString(),
  };
}

type Content = Pick<Card, 'title' | 'facts' | 'command'>;

function contentOf(sent: Sent): Content {
  if (sent.about === 'group') return ofGroup(sent);
  if (sent.about === 'campaign') return ofCampaign(sent);
  if (sent.about === 'bots') return ofBots(sent);
  const facts = [['Meaning', 'This destination works. Events of the master come here.']] as const;
  return { title: 'Test of PandaFuzz', facts, command: '' };
}

function ofGroup({ kind, group }: Sent & { about: 'group' }): Content {
  const target = inProject(group.project, group.target_name);
  return {
    title: `${titles[kind]}: ${group.kind} in ${group.top_frame || 'an unknown function'} (${target})`,
    facts: [
      ['Target', target],
      ['Kind', group.security === 1 ? `${group.kind}, security-relevant` : group.kind],
      ['Function', group.top_frame],
      ['Location', locationOf(group.frames)],
      ['Message', group.message],
      ['Hits', String(group.hits)],
      ['Status', group.status],
    ],
    command: `pandafuzz crash get ${group.id}`,
  };
}

function ofCampaign({ kind, campaign, text }: Sent & { about: 'campaign' }): Content {
  const hours = (campaign.cpu_ms / 3_600_000).toFixed(1);
  const groups = campaign.crash_groups;
  return {
    title: `${titles[kind]}: ${inProject(campaign.project, campaign.name)}`,
    facts: [
      ['Why', text],
      ['Target', inProject(campaign.project, campaign.target_name)],
      ['Runs', `${campaign.runs}, of which ${campaign.finding_runs} found something`],
      ['CPU hours', hours],
      ['Crash groups', groups === 0 ? 'none' : String(groups)],
    ],
    command: `pandafuzz campaign get ${campaign.id}`,
  };
}

function ofBots({ kind, count, bots }: Sent & { about: 'bots' }): Content {
  const [first] = bots;
  const who = count === 1 && first ? `Bot ${first.name}` : `${count} bots`;
  const more = count - bots.length;
  const names = bots.map(({ name }) => name).join(', ');
  const meaning = kind === 'bot.lost' ? 'no heartbeat; jobs of theirs go to other bots' : '';
  return {
    title: `${who} ${titles[kind]}`,
    facts: [
      ['Bots', more > 0 ? `${names} and ${more} more` : names],
      ['Meaning', meaning],
    ],
    command: count === 1 && first ? `pandafuzz bot get ${first.id}` : 'pandafuzz bot list',
  };
}

/** On one line, without what a reader does not see, and not too long. */
function shown(text: string, most: number): string {
  const line = plain(text.replace(/\s+/g, ' ').trim());
  const characters = [...line.slice(0, 2 * most)];
  return characters.length <= most ? line : `${characters.slice(0, most - 1).join('')}…`;
}
