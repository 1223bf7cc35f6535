import { call } from '../api/call.js';
import { Age } from '../format/ages.js';
import { num } from '../format/figures.js';
import { BotChip } from '../format/states.js';
import type { Bot } from '../gen/pandafuzz/v1/bot.js';
import { Link, pathOf } from '../route/route.js';
import { List, pageSize } from '../table/list.js';
import type { Column } from '../table/table.js';
import { Name } from '../text/text.js';

/** Why it takes no jobs, or works less well, as far as the bot itself says. */
const whyOf = ({ health, heldWhy, heldUntil }: Bot): string =>
  health?.problem || (heldUntil ? (heldWhy ?? '') : '') || (health?.warnings?.[0] ?? '');

const columns: readonly Column<Bot>[] = [
  {
    name: 'Bot',
    level: 1,
    cell: (bot) => (
      <Link to={pathOf('bots', bot.id ?? '')}>
        <Name of={bot.name} most={36} />
      </Link>
    ),
  },
  { name: 'State', level: 1, cell: (bot) => <BotChip of={bot} /> },
  { name: 'Why', level: 1, cell: (bot) => <Name of={whyOf(bot)} most={64} /> },
  {
    name: 'Busy',
    level: 1,
    right: true,
    cell: ({ runningJobs, slots }) => `${num(runningJobs)}/${num(slots)}`,
  },
  { name: 'Last heard', level: 1, right: true, cell: ({ lastSeenAt }) => <Age of={lastSeenAt} /> },
  { name: 'Pool', level: 3, cell: ({ labels }) => <Name of={labels?.['pool']} most={20} /> },
  {
    name: 'Engines',
    level: 3,
    cell: ({ engines }) => (
      <Name of={(engines ?? []).filter((one) => !one.endsWith('-crashes')).join(', ')} most={40} />
    ),
  },
  { name: 'Version', level: 4, cell: ({ version }) => <Name of={version} most={16} /> },
];

/** Who does not work, and why? */
export function BotsPage() {
  return (
    <>
      <h1>Bots</h1>
      <List<Bot>
        caption="Bots"
        question="bots"
        read={async (pageToken, abort) => {
          const answer = await call('BotService', 'ListBots', { pageSize, pageToken }, abort);
          return { rows: answer.bots ?? [], next: answer.nextPageToken ?? '' };
        }}
        idOf={({ id = '' }) => id}
        columns={columns}
        empty={
          <>
            <p>No bot yet. On any machine with Node:</p>
            <pre>pandafuzz bot --master HOST:PORT</pre>
          </>
        }
      />
    </>
  );
}
