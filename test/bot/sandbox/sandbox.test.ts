import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  findSandboxTools,
  killEverything,
  startSandbox,
} from '../../../src/bot/sandbox/sandbox.js';
import { patienceMs } from '../../patience.js';

const tools = findSandboxTools();
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pandafuzz-sandbox-'));
});

afterEach(async () => {
  killEverything();
  await rm(folder, { recursive: true, force: true });
});

/** Runs a shell script; `said` resolves with the first of its output. */
async function run(script: string, more: { maxFileBytes?: number; tools?: typeof tools } = {}) {
  const output: string[] = [];
  const said = Promise.withResolvers<string>();
  const sandbox = await startSandbox(more.tools ?? tools, {
    file: '/bin/sh',
    args: ['-c', script],
    environment: process.env,
    cwd: folder,
    maxFileBytes: more.maxFileBytes ?? 2 ** 20,
    onOutput: (chunk) => {
      output.push(chunk.toString());
      said.resolve(chunk.toString());
    },
  });
  return { sandbox, output, said: said.promise };
}

/** Resolves when no process has this pid any more (a zombie counts as gone: it runs nothing). */
async function gone(pid: number): Promise<void> {
  for (;;) {
    const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    if (state === '' || state.split(') ')[1]?.startsWith('Z')) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('a sandbox', () => {
  test('hands over both outputs in the order of printing, and then the exit', async () => {
    const { sandbox, output } = await run(
      'for i in 1 2 3; do echo out; echo err >&2; done; exit 7',
    );
    await expect(sandbox.exited).resolves.toEqual({ code: 7, signal: null });
    expect(output.join('')).toBe('out\nerr\n'.repeat(3));
  });

  test('takes its grandchildren with it when it is killed', async () => {
    const { sandbox, said } = await run('tail -f /dev/null & echo $! >&2; wait');
    const grandchild = Number(await said);
    sandbox.kill();
    await expect(sandbox.exited).resolves.toEqual({ code: null, signal: 'SIGKILL' });
    await gone(grandchild);
  });

  test('leaves no grandchildren behind when it ends by itself', async () => {
    const { sandbox, said } = await run('tail -f /dev/null & echo $! >&2');
    await expect(sandbox.exited).resolves.toMatchObject({ code: 0 });
    await gone(Number(await said));
  });

  test('is killed when it does not follow SIGTERM in time', async () => {
    const { sandbox, said } = await run('trap "" TERM; echo ready >&2; tail -f /dev/null');
    await said;
    sandbox.stop(50);
    await expect(sandbox.exited).resolves.toMatchObject({ signal: 'SIGKILL' });
  });

  test('may end by itself after SIGTERM', async () => {
    const { sandbox, said } = await run(
      'trap "exit 3" TERM; tail -f /dev/null & echo ready >&2; wait',
    );
    await said;
    sandbox.stop(patienceMs);
    await expect(sandbox.exited).resolves.toMatchObject({ code: 3 });
  });

  test('leaves no core dump and no file beyond its limit', async () => {
    const { sandbox } = await run(
      'ulimit -c unlimited 2>/dev/null; head -c 100000 /dev/zero > big; kill -SEGV $$',
      { maxFileBytes: 4096 },
    );
    await sandbox.exited;
    expect((await readdir(folder)).filter((name) => name.startsWith('core'))).toEqual([]);
    const { size } = await stat(join(folder, 'big'));
    expect(size).toBeLessThanOrEqual(4096);
  });

  test('says what the system says when there is nothing to start', async () => {
    const without = { setpriv: undefined, prlimit: undefined };
    const started = startSandbox(without, {
      file: join(folder, 'nothing'),
      args: [],
      environment: {},
      cwd: folder,
      maxFileBytes: 1,
      onOutput: () => {},
    });
    await expect(started).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('runs without setpriv and prlimit too', async () => {
    const { sandbox, output } = await run('echo hello >&2; echo out', {
      tools: { setpriv: undefined, prlimit: undefined },
    });
    await sandbox.exited;
    expect(output.join('')).toBe('hello\nout\n');
  });

  test('dies with a bot that is killed', async () => {
    const module = new URL('../../../src/bot/sandbox/sandbox.js', import.meta.url).href;
    const bot = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { findSandboxTools, startSandbox } from '${module}';
         const { pid } = await startSandbox(findSandboxTools(), { file: '/usr/bin/tail', args: ['-f', '/dev/null'],
           environment: process.env, cwd: '/', maxFileBytes: 1, onOutput() {} });
         console.log(pid);`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const [pid] = (await once(bot.stdout, 'data')) as [Buffer];
    bot.kill('SIGKILL');
    await once(bot, 'close');
    await gone(Number(pid.toString()));
  });
});
