import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, symlinkSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { nodeFlags } from '../../src/cli/node-flags.js';
import { atEnd, temporaryFolder } from '../harness.js';

/** Starts a master by `command`; ended after the test. */
async function startedBy(command: string, ...args: string[]): Promise<ChildProcess> {
  const path = [dirname(process.execPath), process.env['PATH']].join(delimiter);
  const env = {
    PATH: path,
    PANDAFUZZ_GRPC_ADDRESS: '127.0.0.1:0',
    PANDAFUZZ_HTTP_ADDRESS: '127.0.0.1:0',
    PANDAFUZZ_DATA_DIRECTORY: temporaryFolder(),
  };
  const child = spawn(command, [...args, 'master'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = once(child, 'exit');
  atEnd(async () => {
    child.kill();
    await exited;
  });
  await once(child.stderr, 'data'); // the first line of its log
  return child;
}

/** The flags that Node itself got, before the name of the script. */
function flagsOf({ pid }: ChildProcess): string[] {
  const [, ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  return args.slice(
    0,
    args.findIndex((arg) => !arg.startsWith('--')),
  );
}

describe("Node's flags are set", () => {
  test('by bin/pandafuzz', async () => {
    expect(flagsOf(await startedBy(join(process.cwd(), 'bin/pandafuzz')))).toEqual(nodeFlags);
  });

  test('by a link to bin/pandafuzz, as the container image has one', async () => {
    const link = join(temporaryFolder(), 'pandafuzz');
    symlinkSync(join(process.cwd(), 'bin/pandafuzz'), link);
    expect(flagsOf(await startedBy(link))).toEqual(nodeFlags);
  });

  test("by the command that npm installs, a link to package.json's bin", async () => {
    const { bin } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      bin: { pandafuzz: string };
    };
    const link = join(temporaryFolder(), 'pandafuzz');
    symlinkSync(join(process.cwd(), bin.pandafuzz), link);
    expect(flagsOf(await startedBy(link))).toEqual(nodeFlags);
  });
});

test('nohup is respected by bin/pandafuzz, though Node itself forgets it', async () => {
  const child = await startedBy('nohup', join(process.cwd(), 'bin/pandafuzz'));
  child.kill('SIGHUP');
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
});
