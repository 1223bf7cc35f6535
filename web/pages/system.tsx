import { useAsk } from '../api/ask.js';
import { call } from '../api/call.js';
import { Curves } from '../curve/curves.js';
import { Age } from '../format/ages.js';
import { bytes, grouped, num, si, utc } from '../format/figures.js';
import { Facts, Panel } from '../frame/panel.js';
import { Text } from '../text/text.js';

/** Is the master itself well? */
export function SystemPage() {
  const answer = useAsk('stats', (signal) => call('SystemService', 'GetSystemStats', {}, signal));
  const { value: stats } = answer;
  const jobs = stats?.jobs ?? {};
  return (
    <>
      <h1>System</h1>
      <Panel title="The master" of={answer}>
        {stats && (
          <>
            {(stats.warnings ?? []).map((warning) => (
              <p key={warning} class="failure">
                <Text of={warning} />
              </p>
            ))}
            <Facts
              of={[
                ['Version', <Text of={stats.version} />],
                [
                  'Up',
                  <>
                    <Age of={stats.startedAt} />, since {utc(stats.startedAt)}
                  </>,
                ],
                ['Database', bytes(stats.databaseBytes)],
                ['Disk free', bytes(stats.diskFreeBytes)],
                [
                  'Bots',
                  `${grouped(num(stats.botsOnline))} online of ${grouped(num(stats.botsTotal))}`,
                ],
                ['Free slots', si(num(stats.freeSlots))],
                ['Speed', `${si(num(stats.executionsPerSecond))} exec/s`],
                [
                  'Crashes',
                  `${si(num(stats.crashHits))} met, ${si(num(stats.crashInputsKept))} inputs kept, ${si(num(stats.crashGroups))} groups`,
                ],
                ...Object.entries(jobs).map(
                  ([state, count]) => [`Jobs ${state}`, grouped(num(count))] as const,
                ),
              ]}
            />
          </>
        )}
      </Panel>
      <Curves coverage={undefined} speed={{ subject: 'SERIES_SUBJECT_FLEET', name: '' }} />
    </>
  );
}
