import { Chance } from '../load/chance.js';
import { pause } from '../load/times.js';
import { chaosProxy, type Mode } from '../means/chaos-proxy.js';
import type { Row } from '../row.js';
import { Scene } from '../scene.js';
import { settled } from '../settled.js';

const ttlMs = 3000;

export const brokenLines: Row = {
  number: 10,
  fault: 'partition, half-open, slow and reset links of bots (a TCP proxy)',
  promise: 'At most one valid lease a job; a lost bot’s jobs are taken back within the TTL + 1 s.',
  found: [],
  async run({ seed, isShort }) {
    const scene = await Scene.set(seed);
    await scene.start();
    const proxy = await chaosProxy(Number(scene.address.split(':')[1]));
    const chance = new Chance(seed, 'lines');
    const near = scene.load({ bots: 2, operators: 3 });
    const far = scene.load({
      ...{ bots: 4, operators: 0, botName: 'far', botAddress: proxy.address, timeoutMs: 2000 },
    });
    await scene.busy('done', 3);
    const modes: readonly (Mode | 'reset')[] = ['silent', 'deaf', 'slow', 'reset'];
    for (let cycle = 0; cycle < (isShort ? 2 : 16); cycle++) {
      const mode = isShort ? modes[cycle] : modes[cycle % modes.length];
      scene.mark(mode ?? '');
      if (mode === 'reset') proxy.reset();
      else proxy.become(mode ?? 'through');
      await pause(mode === 'reset' ? 300 : ttlMs + chance.below(2500));
      proxy.become('through');
      await pause(chance.below(1500));
    }
    await far.end(20_000);
    const outcome = await settled(scene, near, { fired: proxy.hurt() });
    const taken = scene.reclaims();
    const late = taken.filter((ms) => ms > ttlMs + 1000);
    return {
      ...outcome,
      limits: late.map((ms) => `a job was taken back after ${ms} ms`),
      figures: {
        ...outcome.figures,
        'taken back': String(taken.length),
        'after at most': `${Math.max(0, ...taken)} ms`,
      },
    };
  },
};
