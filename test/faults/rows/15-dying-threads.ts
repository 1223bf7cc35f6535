import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { done } from '../history/operation.js';
import { Chance } from '../load/chance.js';
import { pause, stopwatch } from '../load/times.js';
import type { Row } from '../row.js';
import { Scene } from '../scene.js';
import { settled } from '../settled.js';

const preload = fileURLToPath(new URL('../means/thread-faults.js', import.meta.url));
/** In which a master has ended, or works on. */
const mostMs = 30_000;

export const dyingThreads: Row = {
  number: 15,
  fault: 'the writer throws, a reader dies, a thread is terminated',
  promise: 'The master ends at once with an error, or works on; it never hangs half alive.',
  found: [
    'A thread that reads reports and ended between two reports was given the next one, which counted as unreadable 5 s later.',
    'A master whose database thread had died stopped, and stayed as a process for as long as something waited for the thread.',
  ],
  async run({ seed, isShort }) {
    const scene = await Scene.set(seed);
    const order = join(scene.folder, 'thread-fault');
    scene.environment['THREAD_FAULT_FILE'] = order;
    scene.environment['NODE_OPTIONS'] = `--import=${preload}`;
    await scene.start();
    const load = scene.load();
    const all = [
      ...['throw writer', 'end writer', 'throw reader 1', 'end reader 2'],
      ...['throw crash reader', 'end crash reader'],
    ];
    const faults = isShort ? [new Chance(seed, 'threads').pick(all.slice(0, 4))] : all;
    const violations: string[] = [];
    const figures: Record<string, string> = {};
    let fired = 0;
    for (const fault of faults) {
      await scene.busy('done', 1);
      rmSync(`${order}.fired`, { force: true });
      writeFileSync(order, fault);
      const at = scene.mark(fault);
      scene.master?.end('SIGUSR2');
      const took = stopwatch();
      const hasWorkedOn = () =>
        done(scene.read(), 'create').some(({ askedAt }) => askedAt > at + 1000);
      while (scene.isUp && !hasWorkedOn() && took() < mostMs) await pause(100);
      if (!scene.isUp) {
        const { code } = (await scene.master?.exited) ?? {};
        if (existsSync(`${order}.fired`)) fired++;
        figures[fault] = `ended with ${code} after ${took().toFixed(0)} ms`;
        if (code === 0) violations.push(`${fault}: it ended as if nothing was wrong`);
        await scene.start();
      } else {
        const works = hasWorkedOn();
        if (existsSync(`${order}.fired`)) fired++;
        else violations.push(`${fault} did not happen`);
        if (!works) violations.push(`${fault}: it neither ended nor worked on in ${mostMs} ms`);
        figures[fault] = works ? 'works on' : 'hangs';
      }
    }
    return settled(scene, load, { fired, violations, figures });
  },
};
