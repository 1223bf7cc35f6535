import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { atEnd } from '../../endings.js';
import { readHistory } from '../history/history.js';
import { of } from '../history/operation.js';
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
    /** Stops it where it stands, with a lease whose result it has not sent; it waits for one. */
    async stop() {
      for (let tries = 0; tries < 600; tries++) {
        child.kill('SIGSTOP');
        const said = readHistory(history);
        if (of(said, 'take').length > of(said, 'done').length) return;
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
