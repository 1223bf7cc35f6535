import type { Figure } from '../measure.js';
import { inWords, watchVitals } from '../vitals.js';
import { ledgerIn } from './ledger.js';
import { below, type Scene } from './scene.js';

/** All connections are cut at once, with no goodbye, and all bots come back. */
export async function storm({ master, crew, directory, bots }: Scene): Promise<Figure[]> {
  const count = crew.members.length;
  const runsBefore = ledgerIn(directory).runs;
  crew.recount();
  const { vitals } = await watchVitals(master, 'storm', async () => {
    for (const member of crew.members) member.lose();
    await crew.until(
      'all have resumed',
      ({ welcomes }) => welcomes >= count && crew.here === count,
    );
  });
  const { kept, abandoned } = crew.tally;
  const again = ledgerIn(directory).runs - runsBefore;
  return [
    below(`${bots} cut off at once, until the last has resumed its job`, 's', 30, vitals.seconds, {
      detail: `a connection each, first tries within 250 ms, as our bots do; ${inWords(vitals)}`,
      vitals,
    }),
    below('jobs lost to that, or run a second time', 'jobs', 1, count - kept + again, {
      detail: `${kept.toLocaleString('en')} of ${count.toLocaleString('en')} kept, ${abandoned} to be given up; ${again} runs more`,
    }),
  ];
}
