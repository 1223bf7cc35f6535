import { of } from '../history/operation.js';
import { pause } from '../load/times.js';
import { botProcess } from '../means/bot-process.js';
import { overstays } from '../means/overstaying-bot.js';
import type { Row } from '../row.js';
import { Scene } from '../scene.js';
import { settled } from '../settled.js';

const ttlMs = 3000;

export const stoppedBot: Row = {
  number: 8,
  fault: 'SIGSTOP of a bot past its TTL; a bot that beats and does not stop',
  promise:
    'Jobs go to other bots; stale results are refused, crashes are kept; a job is taken from a bot that does not stop it.',
  found: [
    'Neither a cancel nor the end of its duration took a job from a bot that beat and went on.',
  ],
  async run({ seed, isShort }) {
    const scene = await Scene.set(seed);
    await scene.start();
    const load = scene.load({ bots: 2 });
    const overstaying = overstays(scene, load);
    overstaying.catch(() => {}); // awaited below
    let fired = 0;
    for (let cycle = 1; cycle <= (isShort ? 1 : 5); cycle++) {
      const bot = await botProcess(scene, cycle);
      await bot.stop();
      await pause(ttlMs + 1500);
      bot.goOn();
      await pause(1500);
      await bot.end();
    }
    const lost = new Set(
      of(scene.read(), 'done')
        .filter(({ why }) => why.includes('STALE_LEASE'))
        .map(({ request }) => request.lease.jobId),
    );
    const taken = await overstaying;
    fired += taken.isTaken ? 1 : 0;
    const outcome = await settled(scene, load, {
      fired,
      violations: taken.isTaken ? [] : ['a job was not taken from a bot that does not stop it'],
      figures: { 'stale results refused': String(lost.size) },
    });
    const expired = scene.ask<number>(
      `SELECT count(*) FROM attempts WHERE outcome = 'lost'
         AND bot_id IN (SELECT id FROM bots WHERE name LIKE 'bot-of-%')`,
    );
    const late = scene.ask<number>('SELECT count(*) FROM crashes WHERE late = 1');
    return {
      ...outcome,
      fired: expired > 0 ? fired + expired : 0,
      figures: {
        ...outcome.figures,
        'leases lost': String(expired),
        'late crashes kept': String(late),
      },
    };
  },
};
