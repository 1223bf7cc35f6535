import { unary } from '../../src/client/call.js';
import type { Connection } from '../../src/client/connect.js';
import { newId } from '../../src/core/ids.js';
import type { Bench } from '../bench.js';
import { count, type MeasuredOf, mib, ofOne, rate } from '../figure.js';
import { times } from '../measure.js';
import { Stage } from '../stage.js';
import { watch } from '../watch.js';

const inFlight = 64;

/**
 * Calls by the hundred thousand: answered, refused, cancelled and overdue ones. The
 * master must not hold more memory after them than before.
 */
export const benchSoak = (bench: Bench): Promise<MeasuredOf<'soak'>> =>
  Stage.with(bench, {}, async (stage) => {
    const { master, connection } = stage;
    const [botId = ''] = await stage.registerBots(1);
    const calls = callsOf(connection, botId);
    const many = (total: number) =>
      times(total, inFlight, async (index) => calls[index % calls.length]?.());
    const total = bench.sizes.calls;
    await many(Math.round(total / 10)); // until caches and code are warm
    const before = await master.look({ collect: true });
    bench.say(`${count(total)} calls: answered, refused, cancelled and overdue`);
    const { result } = await watch(master, 'soak', () => many(total));
    const after = await master.look({ collect: true });
    const detail = [before, after].map(
      ({ heapBytes, rssBytes }) => `${mib(heapBytes)} (resident ${mib(rssBytes)})`,
    );
    return {
      heap: ofOne(
        (after.heapBytes - before.heapBytes) / 2 ** 20,
        `${detail.join(' before, ')} after; ${rate(result.perSecond)}`,
      ),
    };
  });

/** Of ten calls, six are answered and two refused; one is cancelled, and one overdue. */
function callsOf({ bots }: Connection, botId: string): readonly (() => Promise<unknown>)[] {
  const get = (id: string, limits?: { timeoutMs?: number; signal?: AbortSignal }) =>
    unary(bots, bots.getBot, { botId: id }, limits).catch(() => {});
  const absent = newId();
  const cancelled = () => {
    const controller = new AbortController();
    setImmediate(() => controller.abort());
    return get(botId, { signal: controller.signal });
  };
  return [
    ...Array.from({ length: 6 }, () => () => get(botId)),
    () => get(absent),
    () => get('no id'),
    cancelled,
    () => get(botId, { timeoutMs: 1 }),
  ];
}
