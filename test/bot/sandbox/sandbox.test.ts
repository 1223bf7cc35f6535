import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { CgroupTrees } from '../../../src/bot/sandbox/cgroups.js';
import { hierarchies } from '../../../src/bot/sandbox/mounts.js';
import { startSandbox } from '../../../src/bot/sandbox/sandbox.js';
import { temporaryFolder } from '../../harness.js';
import { patienceMs } from '../../patience.js';
import { pause } from '../../pause.js';
import {
  containedRun,
  containmentBy,
  pathWithout,
  ran,
  script,
  type WayName,
  ways,
} from './contained.js';

/** Processes whose command line has this text; zombies have none. */
async function processesWith(text: string): Promise<number[]> {
  const found: number[] = [];
  for (const pid of (await readdir('/proc')).map(Number)) {
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const line = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '');
    if (line.includes(text)) found.push(pid);
  }
  return found;
}

async function untilNone(text: string): Promise<void> {
  while ((await processesWith(text)).length > 0) {
    await pause();
  }
}

/** Cgroups of a bot's runs, where this machine lets it have some. */
async function cgroupsOf(work: string): Promise<string[]> {
  const digest = createHash('sha256').update(work).digest('hex').slice(0, 12);
  const files = (name: string) => readFile(`/proc/self/${name}`, 'utf8');
  const found = hierarchies(await files('mountinfo'), await files('cgroup'));
  const names = await Promise.all(found.map(({ folder }) => readdir(folder).catch(() => [])));
  return names.flat().filter((name) => name.startsWith(`pandafuzz-${digest}-`));
}

const hasCgroups = (await CgroupTrees.find('pandafuzz-test-')).hasPids;

let tags = 0;
/** Names the processes of one test. */
const newTag = () => `pf-tag-${process.pid}-${++tags}`;

/** Leaves a process in a session of its own, which follows no signal that it can refuse. */
const daemon = (tag: string) =>
  `setsid sh -c 'trap "" TERM HUP INT; (trap "" TERM HUP INT; tail -f /dev/null ${tag} & wait) & wait' &`;

describe.each(Object.keys(ways) as WayName[])('a sandbox by %s', (way) => {
  test('hands over both outputs in the order of printing, and then the exit', async () => {
    const run = await containedRun(way);
    const text = 'for i in 1 2 3; do echo out; echo err >&2; done; exit 7';
    await expect(ran(run, text)).resolves.toEqual({
      code: 7,
      signal: null,
      text: 'out\nerr\n'.repeat(3),
    });
  });

  test('tells a signal that ended the program', async () => {
    const run = await containedRun(way);
    await expect(ran(run, 'kill -SEGV $$')).resolves.toMatchObject({
      code: null,
      signal: 'SIGSEGV',
    });
  });

  test('tells a program that is missing by 127, and one that cannot be executed by 126', async () => {
    const run = await containedRun(way);
    const start = (file: string) =>
      startSandbox(run.tools, {
        file,
        args: [],
        environment: {},
        cwd: join(run.folder, 'work'),
        maxFileBytes: 1,
        onOutput: () => {},
      });
    await expect((await start('/nothing/there')).exited).resolves.toMatchObject({ code: 127 });
    await expect((await start('/usr')).exited).resolves.toMatchObject({ code: 126 });
  });

  test('takes all that it started with it when it is killed', async () => {
    const run = await containedRun(way);
    const tag = newTag();
    const { sandbox, said } = await script(run, `${daemon(tag)} echo ready; tail -f /dev/null`);
    await said;
    sandbox.kill();
    await expect(sandbox.exited).resolves.toMatchObject({ code: null, signal: 'SIGKILL' });
    expect(await processesWith(tag)).toEqual([]);
  });

  test('leaves nothing behind when it ends by itself, whatever holds its output', async () => {
    const run = await containedRun(way);
    const tag = newTag();
    const ready = 'while ! [ -e ready ]; do :; done';
    const leave = daemon(tag).replace('tail', ': > ready; tail');
    await expect(ran(run, `${leave} ${ready}; exit 3`)).resolves.toMatchObject({ code: 3 });
    expect(await processesWith(tag)).toEqual([]);
  });

  test('leaves another program of the same run alone when it ends', async () => {
    const run = await containedRun(way);
    const other = await script(run, 'trap "exit 4" TERM; echo ready; tail -f /dev/null & wait');
    await other.said;
    await expect(ran(run, 'exit 0')).resolves.toMatchObject({ code: 0 });
    other.sandbox.stop(patienceMs);
    await expect(other.sandbox.exited).resolves.toMatchObject({ code: 4 });
  });

  test('is killed when it does not follow SIGTERM in time', async () => {
    const run = await containedRun(way);
    const { sandbox, said } = await script(run, 'trap "" TERM; echo ready; tail -f /dev/null');
    await said;
    sandbox.stop(50);
    await expect(sandbox.exited).resolves.toMatchObject({ signal: 'SIGKILL' });
  });

  test('may end by itself after a signal', async () => {
    const run = await containedRun(way);
    for (const [signal, name] of [
      ['SIGTERM', 'TERM'],
      ['SIGUSR1', 'USR1'],
    ] as const) {
      const text = `trap "exit 3" ${name}; tail -f /dev/null & echo ready; wait`;
      const { sandbox, said } = await script(run, text);
      await said;
      sandbox.stop(patienceMs, signal);
      await expect(sandbox.exited).resolves.toMatchObject({ code: 3 });
    }
  });

  test('leaves no core dump and no file beyond its limit', async () => {
    const run = await containedRun(way);
    const { sandbox } = await script(
      run,
      'ulimit -c unlimited 2>/dev/null; head -c 100000 /dev/zero > big; kill -SEGV $$',
      4096,
    );
    await sandbox.exited;
    const work = join(run.folder, 'work');
    expect((await readdir(work)).filter((name) => name.startsWith('core'))).toEqual([]);
    expect((await stat(join(work, 'big'))).size).toBeLessThanOrEqual(4096);
  });

  test('gives its program nothing of the environment that the bot has', async () => {
    process.env['PF_SECRET'] = 'of the bot';
    const run = await containedRun(way);
    const { text } = await ran(run, 'env | cut -d= -f1 | sort | tr "\\n" " "; env | grep ^LANG');
    delete process.env['PF_SECRET'];
    expect(text).toBe('HOME LANG PANDAFUZZ_RUN PATH PWD TMPDIR LANG=C\n');
  });

  test('dies with a bot that is killed, and so does all that it left', async () => {
    const tag = newTag();
    const work = temporaryFolder();
    const { wish, without } = ways[way];
    const path = pathWithout(without);
    const module = (name: string) => new URL(`./${name}.js`, import.meta.url).href;
    const bot = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { killedBot } from '${module('killed-bot')}';
         await killedBot(${JSON.stringify({ wish, path, work, text: `${daemon(tag)} echo ready; tail -f /dev/null` })});`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await once(bot.stdout, 'data');
    expect(await processesWith(tag)).not.toEqual([]);
    bot.kill('SIGKILL');
    await once(bot, 'close');
    if (way !== 'group') await untilNone(tag);
    expect((await cgroupsOf(work)).length > 0).toBe(hasCgroups);
    await containmentBy(way, work); // the next start of the bot
    expect(await processesWith(tag)).toEqual([]);
    expect(await cgroupsOf(work)).toEqual([]);
  });
});
