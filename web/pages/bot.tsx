import { useAsk } from '../api/ask.js';
import { call } from '../api/call.js';
import { Curves } from '../curve/curves.js';
import { Age } from '../format/ages.js';
import { num, utc } from '../format/figures.js';
import { BotChip } from '../format/states.js';
import { Action } from '../frame/actions.js';
import { Facts, FailureLine, Loading, Panel } from '../frame/panel.js';
import { Rights } from '../frame/rights.js';
import type { Bot } from '../gen/pandafuzz/v1/bot.js';
import type { PageProps } from '../route/page-props.js';
import { go } from '../route/route.js';
import { Name, Text } from '../text/text.js';
import { BotLog } from './log.js';
import { Reasons } from './reasons.js';

export function BotPage({ rest: [botId = ''] }: PageProps) {
  const answer = useAsk(`bot ${botId}`, (signal) =>
    call('BotService', 'GetBot', { botId }, signal),
  );
  const why = useAsk(`why ${botId}`, (signal) =>
    call('BotService', 'ExplainBot', { botId }, signal),
  );
  const bot = answer.value?.bot;
  if (!bot) {
    return (
      <>
        <h1>Bot</h1>
        {answer.failure ? <FailureLine of={answer} /> : <Loading rows={8} />}
      </>
    );
  }
  return (
    <>
      <h1>
        <BotChip of={bot} /> <Name of={bot.name} most={80} />
      </h1>
      <Rights to="BotService/DrainBot">
        <Buttons bot={bot} then={answer.again} />
      </Rights>
      <Panel title="Why" of={why}>
        <Reasons of={why.value?.reasons} otherwise="It works at full capacity." />
      </Panel>
      <About bot={bot} />
      <Curves coverage={undefined} speed={{ subject: 'SERIES_SUBJECT_BOT', name: botId }} />
      <BotLog botId={botId} />
    </>
  );
}

function Buttons({ bot, then }: { bot: Bot; then: () => void }) {
  const botId = bot.id ?? '';
  const isDraining = bot.drainRequestedAt !== undefined;
  return (
    <div class="buttons">
      {isDraining || bot.heldUntil ? (
        <Action
          act={async () => {
            await call('BotService', 'ResumeBot', { botId });
            return 'The bot is given jobs again.';
          }}
          then={then}
        >
          Resume
        </Action>
      ) : (
        <Action
          act={async () => {
            await call('BotService', 'DrainBot', { botId });
            return 'The bot finishes its jobs, and is given no new ones. Resume undoes it.';
          }}
          then={then}
        >
          Drain
        </Action>
      )}
      {bot.state === 'BOT_STATE_OFFLINE' && num(bot.runningJobs) === 0 && (
        <Action
          ask="Delete this bot for good? Its crashes and inputs stay."
          act={async () => {
            await call('BotService', 'DeleteBot', { botId });
            go('/bots');
            return 'The bot is deleted.';
          }}
        >
          Delete
        </Action>
      )}
    </div>
  );
}

const About = ({ bot }: { bot: Bot }) => (
  <Facts
    of={[
      ['Id', <code>{bot.id}</code>],
      ['Slots', `${num(bot.runningJobs)} of ${num(bot.slots)} busy`],
      [
        'Last heard',
        <>
          <Age of={bot.lastSeenAt} /> ago
        </>,
      ],
      ['Registered', utc(bot.registeredAt)],
      ['Version', <Name of={bot.version} />],
      ['Memory, disk', `${num(bot.memoryMib)} and ${num(bot.diskMib)} MiB a slot (0: not stated)`],
      ...(bot.engineDetails ?? []).map(
        ({ name, version, note }) =>
          [`Engine ${name}`, <Text of={[version, note].filter(Boolean).join('; ')} />] as const,
      ),
      ...Object.entries(bot.labels ?? {}).map(
        ([name, value]) => [`Label ${name.slice(0, 63)}`, <Text of={value} />] as const,
      ),
      ...(bot.health?.warnings ?? []).map((text) => ['Warning', <Text of={text} />] as const),
      !!bot.drainRequestedAt && [
        'Drain asked',
        <>
          <Age of={bot.drainRequestedAt} /> ago{bot.drainedAt ? ', drained' : ''}
        </>,
      ],
      !!bot.heldUntil && ['Held back until', utc(bot.heldUntil)],
    ]}
  />
);
