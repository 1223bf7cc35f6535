import { unary } from '../../src/client/call.js';
import { type Connection, connect } from '../../src/client/connect.js';
import { newId } from '../../src/core/ids.js';
import type { Bench } from '../bench.js';
import { eachInFlight, type Figure } from '../measure.js';
import { startMaster } from '../processes.js';
import { watchVitals } from '../vitals.js';

const inFlight = 64;

/**
 * Calls by the hundred thousand: answered, refused, cancelled and overdue ones.
 * What the master holds on to afterwards is not to be more than before.
 */
export async function benchSoak({ folder, scale, say }: Bench): Promise<Figure[]> {
  const master = await startMaster(folder());
  const connection = connect(master.address);
  try {
    const bot = {
      name: 'soak',
      engines: ['libfuzzer'],
      slots: 1,
      labels: {},
      version: '1',
      memoryMib: 0,
      diskMib: 0,
    };
    const registered = await unary(connection.bots, connection.bots.registerBot, bot);
    const calls = callsOf(connection, registered.bot?.id ?? '');
    const count = Math.round(300_000 * scale);
    await many(calls, Math.round(count / 10)); // until caches and code are warm
    const before = await master.memory();
    say(`${count.toLocaleString('en')} calls: answered, refused, cancelled and overdue`);
    const soak = () => many(calls, count);
    const { result: perSecond } = await watchVitals(master, 'soak', soak);
    const after = await master.memory();
    const grownMib = (after.heapBytes - before.heapBytes) / 2 ** 20;
    return [
      {
        name: `heap of the master after ${count.toLocaleString('en')} calls, more than before`,
        ...{ value: grownMib, spread: [grownMib, grownMib], unit: 'MiB' },
        target: { is: '<', bound: 4 },
        detail: `${mib(before.heapBytes)} before, ${mib(after.heapBytes)} after; resident ${mib(before.rssBytes)}, ${mib(after.rssBytes)}; ${Math.round(perSecond).toLocaleString('en')} calls/s`,
      },
    ];
  } finally {
    connection.close();
    await master.stop();
  }
}

const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

type Call = () => Promise<unknown>;

function callsOf({ bots }: Connection, botId: string): readonly Call[] {
  const get = (id: string, limits?: { timeoutMs?: number; signal?: AbortSignal }) =>
    unary(bots, bots.getBot, { botId: id }, limits).catch(() => {});
  const answered = () => get(botId);
  const absent = newId();
  const cancelled = () => {
    const controller = new AbortController();
    setImmediate(() => controller.abort());
    return get(botId, { signal: controller.signal });
  };
  return [
    ...Array.from({ length: 6 }, () => answered),
    () => get(absent),
    () => get('no id'),
    cancelled,
    () => get(botId, { timeoutMs: 1 }),
  ];
}

async function many(calls: readonly Call[], count: number): Promise<number> {
  const indices = Array.from({ length: count }, (_, i) => i);
  const { perSecond } = await eachInFlight(indices, inFlight, async (i) => {
    await calls[i % calls.length]?.();
  });
  return perSecond;
}
