import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { atEnd } from '../harness.js';

const fixture = fileURLToPath(new URL('./log.fixture.js', import.meta.url));

/** Runs the fixture with this standard error, which nobody reads. */
async function logTo(stderr: number | 'pipe', args: string[]) {
  const child = spawn(process.execPath, [fixture, ...args], { stdio: ['ignore', 'pipe', stderr] });
  atEnd(() => child.kill('SIGKILL'));
  const said = text(child.stdout as NonNullable<typeof child.stdout>);
  const ended = once(child, 'exit');
  const { lost } = JSON.parse(await said);
  const [code] = await ended;
  child.stderr?.destroy();
  return { lost, code };
}

const stoppedTerminal = `
import os, pty, subprocess, sys
_, terminal = pty.openpty()
sys.exit(subprocess.run(sys.argv[1:], stderr=terminal).returncode)`;

describe.each(['json', 'pretty'])('a %s log that nobody reads', (format) => {
  test.each(['pipe', 'full disk'])('does not stop its process: %s', async (kind) => {
    const stderr = kind === 'pipe' ? 'pipe' : openSync('/dev/full', 'w');
    const { lost, code } = await logTo(stderr, [format]);
    if (typeof stderr === 'number') closeSync(stderr);
    expect(code).toBe(0);
    expect(lost).toBeGreaterThan(5000);
  });

  test('does not stop its process: a terminal', async () => {
    const args = ['-c', stoppedTerminal, process.execPath, fixture, format];
    const { stdout } = await promisify(execFile)('python3', args);
    expect(JSON.parse(stdout).lost).toBeGreaterThan(5000);
  });
});

describe('a log that is read', () => {
  const read = (...args: string[]) =>
    promisify(execFile)(process.execPath, [fixture, ...args], { maxBuffer: 2 ** 28 });

  test('has the lines of one peer within a bound, clipped, and counts the others', async () => {
    const { stdout, stderr } = await read('json', '1');
    const lines = stderr.trim().split('\n');
    const { lost } = JSON.parse(stdout);
    expect(lines.length + lost).toBeGreaterThanOrEqual(20_000);
    expect(lines.length).toBeLessThan(200);
    for (const line of lines) expect(line.length).toBeLessThan(4096);
  });

  test.each(['json', 'pretty'])(
    'has nothing that a terminal obeys or hides: %s',
    async (format) => {
      const { stderr } = await read(format, '10');
      expect(stderr).toContain('said');
      expect(stderr).not.toMatch(/[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069]/);
      if (format === 'pretty') return;
      expect(JSON.parse(stderr.split('\n')[0] as string).text).toMatch(
        /^\u009b2J\u202e\u061c\u200bx/,
      );
    },
  );
});
