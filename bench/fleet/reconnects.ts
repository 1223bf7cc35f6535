import { setTimeout as sleep } from 'node:timers/promises';
import type { Figure } from '../measure.js';
import { inWords, watchVitals } from '../vitals.js';
import { ledgerIn } from './ledger.js';
import { below, type Scene } from './scene.js';

/** All beat, and every second `share` of them lose their connection and come back. */
export async function reconnects(
  { master, crew, directory }: Scene,
  { share, forMs }: { share: number; forMs: number },
): Promise<Figure[]> {
  const { members } = crew;
  const perSecond = members.length * share;
  const count = Math.round((perSecond * forMs) / 1000);
  const runsBefore = ledgerIn(directory).runs;
  crew.recount();
  const { vitals } = await watchVitals(master, 'reconnects', async () => {
    const startedAt = performance.now();
    for (let lost = 0; lost < count; ) {
      const due = Math.floor(((performance.now() - startedAt) / 1000) * perSecond);
      // Every seventh, so that it is not always neighbours; 7 and their number have to be coprime.
      for (; lost < Math.min(due, count); lost++) members[(lost * 7) % members.length]?.lose();
      await sleep(20);
    }
    await crew.until('all that were lost are back', ({ welcomes }) => welcomes >= count);
  });
  const { answers, kept, abandoned } = crew.tally;
  const { percentiles } = answers;
  const again = ledgerIn(directory).runs - runsBefore;
  return [
    below(
      `heartbeat acknowledgement while ${share * 100} % of the bots a second reconnect, p99`,
      ...(['ms', 50, percentiles.p99] as const),
      {
        detail: `${percentiles.count.toLocaleString('en')} beats; ${inWords(vitals)}; spread: median to longest`,
        spread: [percentiles.p50, percentiles.max],
        ...{ percentiles, vitals },
      },
    ),
    below('leases lost to that, or jobs run a second time', 'jobs', 1, abandoned + again, {
      detail: `${count.toLocaleString('en')} reconnects, ${kept.toLocaleString('en')} leases kept; ${again} runs more`,
    }),
  ];
}
