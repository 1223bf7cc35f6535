import { setTimeout as sleep } from 'node:timers/promises';
import { count, type Measured, ofOne, ofTimes } from '../figure.js';
import { every } from '../measure.js';
import { watch } from '../watch.js';
import type { Crew } from './crew.js';

/** Losses of connections after which the bots come back and resume their jobs. */

/** Share of the bots that lose their connection each second in `reconnects`. */
const share = 0.02;

/** All connections are cut at once, with no goodbye, and all bots come back. */
export async function storm(crew: Crew) {
  const { result, lost } = await comeback(crew, crew.members.length, () =>
    watch(crew.stage.master, 'storm', async () => {
      for (const member of crew.members) member.lose();
      await crew.allBack();
    }),
  );
  const detail = `a connection each, first tries within 250 ms, as our bots do; ${result.words}`;
  return { storm: ofOne(result.seconds, detail), stormLost: lost };
}

/** The master is restarted while jobs run, by `start`. */
export async function restart(crew: Crew, start: () => Promise<void>) {
  const startedAt = performance.now();
  const since = () => (performance.now() - startedAt) / 1000;
  const { result, lost } = await comeback(crew, crew.members.length, async () => {
    await start();
    const down = since().toFixed(1);
    const { words } = await watch(crew.stage.master, 'restart', () => crew.allBack());
    const detail = `from the signal to stop; ${down} s of it until the new one was ready; ${words}`;
    return ofOne(since(), detail);
  });
  return { restart: result, restartLost: lost };
}

/** All beat, and every second some of them lose their connection and come back. */
export async function reconnects(crew: Crew, forMs: number) {
  const { members } = crew;
  const perSecond = members.length * share;
  const total = Math.round((perSecond * forMs) / 1000);
  const { result, lost } = await comeback(crew, total, () =>
    watch(crew.stage.master, 'reconnects', async () => {
      // Every seventh, so that it is not always neighbours; 7 and their number have to be coprime.
      const stop = every(perSecond, (index) => {
        if (index < total) members[(index * 7) % members.length]?.lose();
      });
      await sleep(forMs);
      await crew.allBack(total).finally(stop);
    }),
  );
  const { percentiles } = crew.answers;
  const detail = `${count(percentiles.count)} beats; ${result.words}`;
  return { reconnectAcks: ofTimes(percentiles, detail), reconnectLost: lost };
}

/** Does `work`, in which bots come back so often. `lost`: jobs, or runs begun a second time. */
async function comeback<T>(crew: Crew, comebacks: number, work: () => Promise<T>) {
  const runsBefore = crew.ledger().runs;
  crew.recount();
  const result = await work();
  const { kept, abandoned } = crew;
  const again = crew.ledger().runs - runsBefore;
  const detail = `${count(kept)} of ${count(comebacks)} kept, ${abandoned} to be given up; ${again} runs more`;
  const lost: Measured = ofOne(comebacks - kept + again, detail);
  return { result, lost };
}
