import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { temporaryFolder } from './harness.js';

/**
 * A test waits for what happens (a promise, an event, a message of a child), and counts
 * what happened meanwhile. It neither waits for time to pass nor takes it: a busy
 * machine would decide whether it passes. A bound in time is a figure of bench/.
 */
const rules: Readonly<Record<string, RegExp>> = {
  'a timer that does something': /\bset(?:Timeout|Interval)\((?!\(\) => \{\})/,
  'timers as promises': /timers\/promises|promisify\(setTimeout/,
  'a sleep, as a function or a program': /\bsleep\b/,
  'a wait that blocks': /\bAtomics\.wait\b/,
  'a stopwatch': /\bperformance\.now\(|\bhrtime\b|\bmonitorEventLoopDelay\b|\bDate\.now\(\) [-<>]/,
};

const thisFile = 'no-sleeps.test.ts'; // names what it looks for

/** "file: rule" for each rule that a source below `folder` breaks. */
function broken(folder: string): string[] {
  const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
    /\.(?:ts|py|go|sh)$/.test(path),
  );
  expect(sources.length).toBeGreaterThan(0);
  return sources.flatMap((path) => {
    const text = path === thisFile ? '' : readFileSync(join(folder, path), 'utf8');
    const found = Object.entries(rules).filter(([, pattern]) => pattern.test(text));
    return found.map(([rule]) => `${path}: ${rule}`);
  });
}

describe('the tests', () => {
  test('neither sleep nor take the time', () => {
    expect(broken(join(process.cwd(), 'test'))).toEqual([]);
  });

  test.each([
    ['a timer that does something', 'await new Promise((resolve) => setTimeout(resolve, 50));'],
    ['a timer that does something', 'setInterval(() => look(), 50);'],
    ['timers as promises', "import { setTimeout as pause } from 'node:timers/promises';"],
    ['timers as promises', 'const pause = promisify(setTimeout);'],
    ['a sleep, as a function or a program', 'await sleep(50);'],
    ['a sleep, as a function or a program', "execFileSync('sleep', ['1']);"],
    ['a wait that blocks', 'Atomics.wait(flag, 0, 0, 50);'],
    ['a stopwatch', 'expect(performance.now() - startedAt).toBeLessThan(50);'],
    ['a stopwatch', 'expect(Date.now() - startedAt).toBeLessThan(50);'],
    ['a stopwatch', 'while (Date.now() < until) await nextTurn();'],
  ])('would be caught with %s: %s', (rule, line) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'fine.test.ts'), 'await once(child, "exit"); // a promise\n');
    writeFileSync(join(folder, 'planted.test.ts'), `${line}\n`);
    expect(broken(folder)).toEqual([`planted.test.ts: ${rule}`]);
  });
});
