import { connect } from '../../../src/client/connect.js';
import { registerBot } from '../../steps.js';
import { openEveryKind } from '../means/open-connections.js';
import type { Row } from '../row.js';
import { Scene } from '../scene.js';
import { settled } from '../settled.js';

const mostMs = 5000;

export const sigterm: Row = {
  number: 13,
  fault: 'SIGTERM with every kind of open call and connection, silent ones included',
  promise: 'The master ends within 5 s, and nothing is lost.',
  found: ['One silent connection kept the master alive for ever: it logged "stopped" and stayed.'],
  async run({ seed, isShort }) {
    const scene = await Scene.set(seed);
    const violations: string[] = [];
    const limits: string[] = [];
    const stops: number[] = [];
    let fired = 0;
    await scene.start();
    const load = scene.load();
    for (let cycle = 0; cycle < (isShort ? 1 : 8); cycle++) {
      const connection = connect(scene.address);
      const { id } = await registerBot(connection, `open-${cycle}`);
      connection.close();
      fired += await openEveryKind(scene.address, scene.http, id);
      await scene.busy('done', 1);
      const { ms, code } = await scene.stop();
      stops.push(ms);
      if (code !== 0) violations.push(`it ended with ${code}`);
      if (ms > mostMs) limits.push(`it took ${ms.toFixed(0)} ms to end`);
      await scene.start();
    }
    const figures = { 'stop at most': `${Math.max(...stops).toFixed(0)} ms` };
    return settled(scene, load, { fired, violations, limits, figures });
  },
};
