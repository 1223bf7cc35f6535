import type { EventKind } from '../../../core/event-kinds.js';
import { policyIn, policyOfCrash } from '../../campaign-policies.js';
import { type FuzzCampaignRow, fuzzCampaignColumns } from '../../campaign-rows.js';
import { type CrashGroupRow, crashGroupColumns } from '../../crash-rows.js';
import { pageOperation } from '../../operation.js';
import type { EventRow } from '../../rows.js';
import { all, one, type Steps, statement } from '../../statement.js';

/** What an event is about, as it is now. */
export type About =
  | { readonly about: 'group'; readonly group: CrashGroupRow }
  | { readonly about: 'campaign'; readonly campaign: FuzzCampaignRow; readonly text: string }
  | { readonly about: 'bots'; readonly count: number; readonly bots: readonly NamedBot[] };

export interface NamedBot {
  readonly id: string;
  readonly name: string;
}

export type Notice = About & {
  readonly sequence: number;
  readonly time: number;
  readonly kind: EventKind;
};

interface NextNotice {
  cursor: number;
  kinds: readonly EventKind[];
  /** Empty: of every project, and of bots, which belong to none. */
  projects: readonly string[];
  /** Events that one call looks at. */
  limit: number;
}

interface FoundNotice {
  /** The first that is wanted after the cursor, among the events looked at. */
  notice: Notice | undefined;
  /** Without a notice: where to look on. */
  cursor: number;
  /** Without a notice: nothing after the cursor is wanted yet. */
  isLast: boolean;
  /** Events after the cursor up to this one are no longer kept; null: all are. */
  missedUpTo: number | null;
}

type Event = EventRow & { detail: string };

const toDeliver = statement<{ cursor: number; limit: number }, Event>(`
  SELECT sequence, time, kind, subject, detail FROM events
  WHERE kind IN ('crash_group.new', 'crash_group.reopened', 'crash_group.fixed',
      'campaign.ended', 'campaign.stuck', 'campaign.unstuck', 'bot.lost', 'bot.back')
    AND sequence > @cursor
  ORDER BY sequence LIMIT @limit`);
const groupById = statement<{ id: string }, CrashGroupRow>(
  `SELECT ${crashGroupColumns} FROM crash_groups WHERE id = @id`,
);
const campaignById = statement<{ id: string }, FuzzCampaignRow>(
  `SELECT ${fuzzCampaignColumns} FROM fuzz_campaigns WHERE id = @id`,
);
const oldest = statement<object, { sequence: number }>(
  'SELECT sequence FROM events WHERE sequence > 0 ORDER BY sequence LIMIT 1',
);
const newest = statement<object, { sequence: number }>(
  'SELECT sequence FROM events WHERE sequence > 0 ORDER BY sequence DESC LIMIT 1',
);

/** Finds what a destination is to be sent next. */
export const nextNotice = pageOperation(
  'next_notice',
  function* (input: NextNotice): Steps<FoundNotice> {
    const { cursor, kinds, projects, limit } = input;
    const first = (yield* one(oldest, {}))?.sequence ?? 1;
    const missedUpTo = cursor + 1 < first ? first - 1 : null;
    const rows = yield* all(toDeliver, { cursor, limit });
    for (const event of rows) {
      const { sequence, time, kind } = event;
      if (!isOneOf(kinds, kind)) continue;
      const about = yield* aboutOf(event, projects);
      if (!about) continue;
      const notice = { sequence, time, kind, ...about };
      return { notice, cursor, isLast: false, missedUpTo };
    }
    const isLast = rows.length < limit;
    const last = isLast ? (yield* one(newest, {}))?.sequence : rows.at(-1)?.sequence;
    const read = Math.max(last ?? cursor, cursor);
    return { notice: undefined, cursor: read, isLast, missedUpTo };
  },
);

/** undefined: it is of another project, or gone, or its campaign wants no notices. */
function* aboutOf(event: Event, projects: readonly string[]): Steps<About | undefined> {
  const { kind, subject: id } = event;
  const isWanted = (project: string) => projects.length === 0 || projects.includes(project);
  if (kind.startsWith('bot.')) {
    if (projects.length > 0) return undefined;
    const { count = 0, bots = [] } = JSON.parse(event.detail);
    return { about: 'bots', count, bots };
  }
  if (kind.startsWith('campaign.')) {
    const campaign = yield* one(campaignById, { id });
    if (!campaign || !isWanted(campaign.project)) return undefined;
    if (policyIn(campaign.spec, 'notify') === 'off') return undefined;
    return { about: 'campaign', campaign, text: JSON.parse(event.detail).text ?? '' };
  }
  const group = yield* one(groupById, { id });
  if (!group || !isWanted(group.project)) return undefined;
  const policy = yield* policyOfCrash(group.first_crash_id, 'notify');
  return policy === 'off' ? undefined : { about: 'group', group };
}

const isOneOf = (kinds: readonly EventKind[], kind: string): kind is EventKind =>
  (kinds as readonly string[]).includes(kind);
