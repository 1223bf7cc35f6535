import type { Figure } from '../measure.js';
import type { ServerProcess } from '../processes.js';
import { inWords, watchVitals } from '../vitals.js';
import { ledgerIn } from './ledger.js';
import { below, type Scene } from './scene.js';

/** The master is restarted in the midst of it. @returns the new one, and figures */
export async function restart(
  { master, crew, directory }: Scene,
  start: () => Promise<ServerProcess>,
): Promise<{ master: ServerProcess; figures: Figure[] }> {
  const count = crew.members.length;
  const runsBefore = ledgerIn(directory).runs;
  crew.recount();
  const stoppedAt = performance.now();
  await master.stop();
  const successor = await start();
  const downMs = performance.now() - stoppedAt;
  const { vitals } = await watchVitals(successor, 'restart', () =>
    crew.until('all have resumed', ({ welcomes }) => welcomes >= count && crew.here === count),
  );
  const resumedMs = performance.now() - stoppedAt;
  const { kept } = crew.tally;
  const again = ledgerIn(directory).runs - runsBefore;
  return {
    master: successor,
    figures: [
      below(
        'restart of the master until the last bot has resumed its job',
        ...(['s', 30, resumedMs / 1000] as const),
        {
          detail: `from its being told to stop; ${(downMs / 1000).toFixed(1)} s of it until the new one was ready; ${inWords(vitals)}`,
          vitals,
        },
      ),
      below('jobs lost to the restart, or run a second time', 'jobs', 1, count - kept + again, {
        detail: `${kept.toLocaleString('en')} of ${count.toLocaleString('en')} kept; ${again} runs more`,
      }),
    ],
  };
}
