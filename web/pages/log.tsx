import { useState } from 'preact/hooks';
import { useAsk } from '../api/ask.js';
import { call } from '../api/call.js';
import { FailureLine, Loading } from '../frame/panel.js';
import { bytesOf, textOf } from '../text/hex.js';
import { Lines } from '../text/lines.js';

/** Logs are asked of the bot itself, and so only when somebody wants to see one. */

function Log({ name, read }: { name: string; read: (signal: AbortSignal) => Promise<string> }) {
  const answer = useAsk(name, read, 10_000);
  if (answer.value === undefined) {
    return answer.failure ? <FailureLine of={answer} /> : <Loading rows={3} />;
  }
  if (answer.value === '') return <p class="muted">It is empty.</p>;
  return <Lines of={answer.value} label="Log" />;
}

function Shown({
  title,
  name,
  read,
}: {
  title: string;
  name: string;
  read: (signal: AbortSignal) => Promise<string>;
}) {
  const [isOpen, setOpen] = useState(false);
  return (
    <section class="panel">
      <h2>{title}</h2>
      {isOpen ? (
        <Log name={name} read={read} />
      ) : (
        <button type="button" onClick={() => setOpen(true)}>
          Show its end
        </button>
      )}
    </section>
  );
}

export const JobLog = ({ jobId }: { jobId: string }) => (
  <Shown
    title="Output of the engine"
    name={`log of job ${jobId}`}
    read={async (signal) =>
      textOf(bytesOf((await call('JobService', 'ReadJobLog', { jobId }, signal)).data ?? ''))
    }
  />
);

export const BotLog = ({ botId }: { botId: string }) => (
  <Shown
    title="Log of the bot"
    name={`log of bot ${botId}`}
    read={async (signal) =>
      textOf(bytesOf((await call('BotService', 'ReadBotLog', { botId }, signal)).data ?? ''))
    }
  />
);
