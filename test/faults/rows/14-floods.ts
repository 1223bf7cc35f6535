import { readFileSync, writeFileSync } from 'node:fs';
import { unary } from '../../../src/client/call.js';
import { connect } from '../../../src/client/connect.js';
import { JobSpec } from '../../../src/gen/pandafuzz/v1/job.js';
import { given } from '../../steps.js';
import { Chance } from '../load/chance.js';
import type { Load } from '../load/load.js';
import { pause, quantile } from '../load/times.js';
import { flooder } from '../means/flooder.js';
import type { Row } from '../row.js';
import { Scene } from '../scene.js';
import { settled } from '../settled.js';

const mostMemoryMib = 512;
const mostP99Ms = 250;
const mostBeatMs = 1000;

export const manyFloods: Row = {
  number: 14,
  fault: 'peers that never read, floods, storms, unfinished calls, large pages',
  promise: "Memory stays below 512 MiB, others' heartbeats below 250 ms (p99) and 1 s.",
  found: [
    'A page of large jobs was 313 MiB and stopped everybody for 7 s; 400 readers with closed windows held 1.4 GiB; calls whose request never ends had no bound.',
  ],
  async run({ seed, isShort }) {
    const scene = await Scene.set(seed);
    await scene.start();
    const load = scene.load({ bots: 8, operators: 2, paceMs: 100 });
    await largeJobs(scene, load, isShort ? 40 : 600);
    const share = isShort ? 0.05 : 1;
    const flood = flooder(scene.address);
    const waves: Record<string, () => Promise<number>> = {
      'closed windows': () => flood('closedWindows', 10, 40 * share),
      'unfinished calls': () => flood('unfinishedCalls', 6, 2000 * share),
      'rapid resets': () => flood('rapidResets', 10_000 * share),
      'connection storm': () => flood('connectionStorm', 1000 * share),
      'large pages': () => flood('largePages', 60 * share),
    };
    const figures: Record<string, string> = {};
    const limits: string[] = [];
    let fired = 0;
    let mostMib = 0;
    const pid = scene.master?.pid ?? 0;
    for (const [name, wave] of Object.entries(waves)) {
      for (const bot of load.bots) bot.beatMs.length = 0;
      scene.mark(name);
      await scene.busy('beat', 4);
      forgetPeak(pid);
      for (let time = 0; time < (isShort ? 1 : 5); time++) {
        fired += await wave();
        await pause(isShort ? 200 : 1000);
      }
      const beats = load.bots.flatMap(({ beatMs }) => beatMs);
      const [p99, max] = [quantile(beats, 0.99), Math.max(0, ...beats)];
      const memoryMib = peakMemoryMib(pid);
      mostMib = Math.max(mostMib, memoryMib);
      figures[`beats beside ${name}, p99 and max`] =
        `${p99.toFixed(0)} and ${max.toFixed(0)} ms, memory ${memoryMib.toFixed(0)} MiB`;
      if (p99 > mostP99Ms || max > mostBeatMs)
        limits.push(`${name}: beats took ${p99.toFixed(0)} and ${max.toFixed(0)} ms`);
    }
    figures['peak memory'] = `${mostMib.toFixed(0)} MiB`;
    const violations = mostMib > mostMemoryMib ? [`${mostMib.toFixed(0)} MiB of memory`] : [];
    return settled(scene, load, { fired, violations, limits, figures });
  },
};

/** Jobs with as many arguments and variables as one may have, so that pages are large. */
async function largeJobs(scene: Scene, load: Load, count: number): Promise<void> {
  const connection = connect(scene.address);
  const chance = new Chance(scene.seed, 'large');
  const targetSha256 = await given(load.operators[0]).target();
  const spec = JobSpec.create({
    ...{ engine: 'libfuzzer', targetSha256, priority: -10 },
    arguments: Array.from({ length: 64 }, () => `-${'a'.repeat(1023)}`),
    environment: Object.fromEntries(
      Array.from({ length: 64 }, (_, i) => [`VARIABLE_${i}`, 'v'.repeat(1024)]),
    ),
  });
  const { jobs } = connection;
  for (let i = 0; i < count; i++) {
    const requestId = chance.uuid();
    await scene.history.record(
      'large',
      'create',
      { requestId },
      () => unary(jobs, jobs.createJob, { spec, requestId }, { timeoutMs: 30_000 }),
      ({ job }) => ({ jobId: given(job).id }),
    );
  }
  connection.close();
}

/** Lets the peak of a process's memory begin anew. */
function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

function peakMemoryMib(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1]) / 1024;
}
