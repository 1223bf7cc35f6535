import { unary } from '../../src/client/call.js';
import { type Connection, connect } from '../../src/client/connect.js';
import { newId } from '../../src/core/ids.js';
import type { HeartbeatResponse } from '../../src/gen/pandafuzz/v1/heartbeat.js';
import type { Bench } from '../bench.js';
import { createJob, uploadTarget } from '../fleet/stock.js';
import { type Figure, median, quantile } from '../measure.js';
import { startMaster } from '../processes.js';
import { watchVitals } from '../vitals.js';
import { runScenario } from './ghz.js';

/** Callers at once with which the master has as much to do as it can. */
const saturating = 400;
/** Bots that beat meanwhile, and how often. */
const bots = 10;
const beatEveryMs = 50;

/**
 * Twice the load that saturates the master: what is refused must cost little,
 * and bots must not notice.
 */
export async function benchOverload({ folder, rounds, scale, say }: Bench): Promise<Figure[]> {
  const master = await startMaster(folder());
  const connection = connect(master.address);
  try {
    const { id: jobId } = await createJob(connection, await uploadTarget(connection));
    const requests = folder();
    const data = { job_id: jobId };
    const seconds = Math.max(4 * scale, 0.5);
    const reads = (concurrency: number) =>
      runScenario(master.address, 'get-job', requests, { data, concurrency, seconds });
    const watched = async <T>(work: () => Promise<T>) =>
      (await watchVitals(master, 'overload', work)).result;
    await reads(saturating);
    const ratios: number[] = [];
    const details: string[] = [];
    const beating = await startBeating(connection);
    const acks: number[] = [];
    for (let round = 1; round <= rounds; round++) {
      say(`overload, round ${round} of ${rounds}`);
      const peak = await watched(() => reads(saturating));
      beating.take();
      const over = await watched(() => reads(2 * saturating));
      acks.push(...beating.take());
      ratios.push(over.okPerSecond / peak.okPerSecond);
      details.push(`${Math.round(over.okPerSecond)} of ${Math.round(peak.okPerSecond)}/s`);
    }
    beating.stop();
    return [
      {
        name: 'goodput at twice the saturating load / at its peak (GetJob)',
        ...{ value: median(ratios), unit: 'ratio', target: { is: '>=', bound: 0.9 } },
        spread: [Math.min(...ratios), Math.max(...ratios)],
        detail: `${saturating} and ${2 * saturating} callers; ${details.join(', ')}`,
      },
      {
        name: 'heartbeat acknowledgement under that load, p99',
        ...{ value: quantile(acks, 0.99), unit: 'ms', target: { is: '<', bound: 250 } },
        spread: [quantile(acks, 0.5), quantile(acks, 1)],
        detail: `${acks.length} beats of ${bots} bots; spread: median to longest`,
      },
    ];
  } finally {
    connection.close();
    await master.stop();
  }
}

/** Bots that hold no jobs; `take` returns the times their beats took since the last call. */
async function startBeating(connection: Connection) {
  let times: number[] = [];
  const timers: NodeJS.Timeout[] = [];
  const calls: ReturnType<Connection['bots']['heartbeat']>[] = [];
  for (let i = 0; i < bots; i++) {
    const request = {
      name: `b${i}`,
      engines: ['none'],
      slots: 1,
      labels: {},
      version: '1',
      memoryMib: 0,
      diskMib: 0,
    };
    const { bot } = await unary(connection.bots, connection.bots.registerBot, request);
    const call = connection.bots.heartbeat();
    const sentAt: number[] = [];
    call.on('error', () => {}); // of being cancelled at the end
    call.on('data', ({ message }: HeartbeatResponse) => {
      if (message?.$case !== 'beatAck') return;
      const now = performance.now();
      // An acknowledgement stands for all the beats before it.
      while (sentAt.length > 0 && firstSequence(sentAt) <= message.value.sequence) {
        times.push(now - (sentAt.shift() as number));
      }
    });
    let sequence = 0;
    const firstSequence = (waiting: number[]) => sequence - waiting.length + 1;
    const hello = { botId: bot?.id ?? '', instanceId: newId(), freeSlots: 0, leases: [] };
    call.write({ message: { $case: 'hello', value: hello } });
    const beat = () => {
      sentAt.push(performance.now());
      const value = { sequence: ++sequence, freeSlots: 0, leases: [], resources: undefined };
      call.write({ message: { $case: 'beat', value } });
    };
    timers.push(setInterval(beat, beatEveryMs));
    calls.push(call);
  }
  return {
    take(): number[] {
      const taken = times;
      times = [];
      return taken;
    },
    stop(): void {
      for (const timer of timers) clearInterval(timer);
      for (const call of calls) call.cancel();
    },
  };
}
