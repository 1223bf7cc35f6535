import { execFile } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import { patienceMs } from '../patience.js';

/** Runs the fixture as a test file of its own; its output, and whether it passed. */
function run(leave: string): Promise<{ passed: boolean; output: string }> {
  const only = ['--runInBand', '--forceExit', '--testMatch', '**/leaks/leave.fixture.js'];
  const args = ['--experimental-vm-modules', 'node_modules/.bin/jest', ...only];
  const env = {
    ...process.env,
    LEAVE: leave,
    SETTLE_MS: '500',
    NODE_OPTIONS: '',
    JEST_WORKER_ID: undefined,
  };
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env, timeout: patienceMs }, (error, out, err) =>
      resolve({ passed: error === null, output: out + err }),
    );
  });
}

describe('a test file', () => {
  test('that leaves nothing behind passes', async () => {
    expect(await run('nothing')).toMatchObject({ passed: true });
  });

  test.each([
    ['timer', /left behind: .*timer/],
    ['thread', /left behind: .*thread left/],
    ['file', /left behind: .*open file .*package\.json/],
    ['process', /left behind: .*child process cat/],
  ])('that leaves a %s behind fails, and says so', async (leave, complaint) => {
    const { passed, output } = await run(leave);
    expect(passed).toBe(false);
    expect(output).toMatch(complaint);
  });
});
