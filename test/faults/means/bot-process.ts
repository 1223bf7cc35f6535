import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { atEnd } from '../../endings.js';
import { readHistory } from '../history/history.js';
import { done, type Operation, of } from '../history/operation.js';
import { pause } from '../load/times.js';
import type { Scene } from '../scene.js';

const program = fileURLToPath(new URL('../load/bot-process.js', import.meta.url));

/** A bot of the load in a process of its own; its history is part of the scene's. */
export async function botProcess(scene: Scene, number: number) {
  const history = join(scene.folder, `bot-${number}.jsonl`);
  scene.others.push(history);
  const args = [program, scene.address, history, String(scene.seed + number)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'close');
  atEnd(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  await once(child.stdout, 'data');
  return {
    /** Stops it where it stands, with a lease that it holds; it waits for one. */
    async stop() {
      for (let tries = 0; tries < 600; tries++) {
        child.kill('SIGSTOP');
        if (holdsOne(readHistory(history))) return;
        child.kill('SIGCONT');
        await pause(100);
      }
      throw new Error('the bot was given no job');
    },
    goOn: () => child.kill('SIGCONT'),
    async end() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/**
 * The latest answered beat renewed a lease whose result was not sent. An offer alone would not do:
 * one that no beat accepted is taken back, and no lease is lost.
 */
function holdsOne(said: Operation[]): boolean {
  const sent = new Set(of(said, 'done').map(({ request }) => request.lease.fence));
  const renewed = done(said, 'beat').at(-1)?.answer.leases ?? [];
  return renewed.some(({ fence, remainingMs }) => remainingMs > 0 && !sent.has(fence));
}
