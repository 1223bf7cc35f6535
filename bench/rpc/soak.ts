import { newId } from '../../src/core/ids.js';
import { type Bench, type MeasuredOf, mib, ofOne } from '../figure.js';
import { Stage } from '../stage.js';
import { watch } from '../watch.js';
import { runScenario } from './ghz.js';

/**
 * Calls by the hundred thousand: answered, refused, and given up. The master must not
 * hold more memory after them than before.
 */
export const benchSoak = (bench: Bench): Promise<MeasuredOf<'soak'>> =>
  Stage.with(bench, {}, async (stage) => {
    const { master } = stage;
    const { id } = await stage.createJob();
    const kinds = [
      { share: 0.6, data: { job_id: id } },
      { share: 0.1, data: { job_id: newId() } },
      { share: 0.1, data: { job_id: 'no id' } },
      // Overdue for the server, or cancelled by the client: whichever comes first.
      { share: 0.2, data: { job_id: id }, timeoutMs: 1 },
    ];
    const run = async (total: number) => {
      let codes = '';
      for (const { share, ...kind } of kinds) {
        const changes = { ...kind, calls: Math.round(share * total) };
        codes += `; ${(await runScenario(master.address, 'soak', changes)).codes}`;
      }
      return codes;
    };
    const { calls } = bench.sizes;
    await run(calls / 10); // until caches and code are warm
    const before = await master.look({ collect: true });
    bench.say(`${calls} calls: answered, refused and given up`);
    const { result: codes } = await watch(master, 'soak', () => run(calls));
    const after = await master.look({ collect: true });
    const heap = `${mib(before.heapBytes)} before, ${mib(after.heapBytes)} after`;
    const resident = `resident ${mib(before.rssBytes)}, ${mib(after.rssBytes)}`;
    const grownMib = (after.heapBytes - before.heapBytes) / 2 ** 20;
    return { heap: ofOne(grownMib, `${heap}; ${resident}${codes}`) };
  });
