import { of } from '../history/operation.js';
import { Chance } from '../load/chance.js';
import { pause, stopwatch } from '../load/times.js';
import { chaosProxy } from '../means/chaos-proxy.js';
import type { Row } from '../row.js';
import { Scene } from '../scene.js';
import { settled } from '../settled.js';

export const lostAnswers: Row = {
  number: 11,
  fault: 'the answer is lost after the commit, and the call repeated',
  promise: 'Once: the same job, the same crash, the same receipt.',
  found: [],
  async run({ seed, isShort }) {
    const scene = await Scene.set(seed);
    await scene.start();
    const proxy = await chaosProxy(Number(scene.address.split(':')[1]));
    const chance = new Chance(seed, 'answers');
    const load = scene.load({ address: proxy.address, botAddress: proxy.address, operators: 4 });
    for (let cycle = 0; cycle < (isShort ? 4 : 150); cycle++) {
      await scene.busy('create', 1);
      await pause(chance.below(100));
      const before = proxy.hurt();
      const took = stopwatch();
      proxy.become('lost answers');
      while (proxy.hurt() < before + 3 && took() < 2000) await pause(5);
      proxy.become('through');
    }
    const outcome = await settled(scene, load, { fired: 0 });
    // Committed while its caller had no answer: the job is older than the next try.
    const tries = of(scene.read(), 'create').filter(({ end }) => end === 'unknown');
    const repeated = tries.filter(({ request, answeredAt }) => {
      const at = scene.ask<number>(
        'SELECT created_at FROM jobs WHERE request_id = ?',
        request.requestId,
      );
      return at !== undefined && at <= answeredAt;
    });
    return {
      ...outcome,
      fired: repeated.length,
      figures: { ...outcome.figures, 'answers without a caller': String(tries.length) },
    };
  },
};
