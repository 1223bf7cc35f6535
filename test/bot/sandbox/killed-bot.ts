import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { boundsOf } from '../../../src/bot/runs/bounds.js';
import { Containment } from '../../../src/bot/sandbox/containment.js';
import { startSandbox } from '../../../src/bot/sandbox/sandbox.js';
import { defaultUsers } from '../../../src/bot/sandbox/users.js';
import type { IsolationWish } from '../../../src/core/isolation.js';
import { silentLog } from '../../../src/core/log.js';

/** What a bot does until it is killed: one run of a script, whose first output it passes on. */
export async function killedBot(of: {
  wish: IsolationWish;
  path: string;
  work: string;
  text: string;
}): Promise<void> {
  const { wish, path, work, text } = of;
  const containment = await Containment.find({
    wish,
    workDir: work,
    users: defaultUsers,
    readable: [],
    log: silentLog,
    path,
  });
  const folder = join(work, 'runs', 'killed');
  for (const part of ['tmp', 'work']) mkdirSync(join(folder, part), { recursive: true });
  const bounds = boundsOf({ limits: undefined });
  const { tools } = await containment.forRun({ name: 'killed', folder, bounds });
  await startSandbox(tools, {
    file: '/bin/sh',
    args: ['-c', text],
    environment: {},
    cwd: join(folder, 'work'),
    maxFileBytes: 2 ** 20,
    onOutput: (chunk) => process.stdout.write(chunk),
  });
}
