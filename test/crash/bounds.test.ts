import { describe, expect, test } from '@jest/globals';
import { readCrashReport } from '../../src/crash/report.js';
import { crashSignature, distinctionKey } from '../../src/crash/signature.js';

/** Pieces of all notations; any of them may come in any number. */
const pieces = [
  '(',
  '<',
  '(<',
  '>>',
  ')',
  ' ',
  '\n',
  'operator',
  '::',
  '/a',
  ':1',
  '.isra.0',
  ' [clone .1]',
  ' (BuildId: ab)',
  '+0x1)',
  '"',
  "'a",
  '0x1',
  '1_',
  '_ZN1a',
  'I1aE',
  '\n#1 0x1 in a',
  '\n    @     0x12345  a',
  '\n==1==    at 0x1: a (b:1)',
  '\n    at a (b:1:2)',
  '\n\tat a.b.C(D.java:1)',
  '\nCaused by: a.B',
  '\nTypeError',
  '\nTraceback (most recent call last):',
  '\n  File "a", line 1, in b',
  '\npanic: a',
  '\ngoroutine 1 [running]:',
  '\na.b()\n\t/a:1',
  "\nthread 'a' panicked at a:1:1:",
  '\nERROR: AddressSanitizer: ',
  ': runtime error: ',
  'Check failed: ',
  'F1101 00:00:00.1 1 a:1] ',
  '[1:FATAL:a(1)] ',
  "Assertion `a' failed",
  'Assertion failed: ',
  'terminate called after throwing',
  'FATAL: ',
  '\n# Fatal error in a',
  '\nUnhandled exception. A',
  '\u001b[',
  '\r',
  '\0',
  '\ud800',
  '{{closure}}',
  '(anonymous namespace)',
  ', file ',
  '**',
  'ERROR:a:1:b: ',
  '===BUG DETECTED: a',
  '\n[critical][a] a:1] ',
  'CHECK_EQ(',
  ') failed:',
  '\nCrash|SIGSEGV|0x0|0',
  '\n0|1|a|b(c)|d|1|0x1',
  '\n(1.2): a - code c0000005 (!!! second chance',
  '\n00000001 00000002 00000003 00000004 00000005 a!b+0x1 [c @ 1]',
  '\nSTACK_TEXT:',
  '\n#1.1 0x1 in a b:1 <c>+0x1',
  '\n[<ffffffff8100>] a b.c:1 [inline]',
  "', a b:1:1",
  ') throws -> ',
  'closure #1 in ',
  'CANNOT LINK EXECUTABLE ',
  '. ',
  '<0x1> [a',
  'a!b+0x1 [',
  'Test unit written to ',
];
const prefixes = [
  '',
  '#1 0x1 in ',
  '#1  0x1 in a (',
  '==1==ERROR: AddressSanitizer: SEGV\n    #0 0x1 in ',
  'a.c:1:1: runtime error: ',
  "thread 'a' panicked at ",
  'panic: a\n\ngoroutine 1 [running]:\n',
  'Traceback (most recent call last):\n',
  '== Java Exception: a.B',
  'F1101 00:00:00.1 1 a:1] Check failed: ',
  'a: b:1: c: Assertion `',
  '1   a   0x12345678 ',
  '    @     0x12345  ',
  '==1==    at 0x1: ',
  '\tf [0x123456+1] (',
  './d8(',
  ' <0x1> [func:',
  "terminate called after throwing an instance of '",
  '[1:FATAL:',
];

const largest = 128 * 1024;

function hostile(prefix: string, piece: string, size: number, isOneLine: boolean): string {
  const line = isOneLine ? size : 4000;
  const one = (prefix + piece.repeat(Math.ceil(line / piece.length))).slice(0, line);
  return isOneLine ? one : `${one}\n`.repeat(Math.ceil(size / one.length)).slice(0, size);
}

/** CPU time of the reader in ms: the least of some runs, since other work only adds to it. */
function cpuMs(report: string, runs: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < runs; run++) {
    const before = process.cpuUsage();
    const crash = readCrashReport(report);
    crashSignature(crash, { target: 't' });
    distinctionKey(crash);
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}

/** How many times slower than an ordinary machine this one is: ten million turns of a loop take 15 ms there. */
function slowness(): number {
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 5; run++) {
    const before = process.cpuUsage();
    let x = run;
    for (let i = 0; i < 10_000_000; i++) x = (x * 31 + i) | 0;
    expect(x).toBe(x | 0); // or the loop would be left out
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1000);
  }
  return Math.max(1, least / 15);
}

/** One case in so many is tried; all of them took two minutes, and found no more. */
const oneIn = 7;
const cases = prefixes
  .flatMap((prefix) =>
    pieces.flatMap((piece) => [true, false].map((isOneLine) => ({ prefix, piece, isOneLine }))),
  )
  .filter((_, i) => i % oneIn === 0);

describe('bounds', () => {
  test('no hostile report of 128 KiB takes more than 50 ms of CPU of an ordinary machine', () => {
    const mostMs = 50 * slowness();
    const slow = cases.filter(({ prefix, piece, isOneLine }) => {
      const report = hostile(prefix, piece, largest, isOneLine);
      return cpuMs(report, 1) > mostMs && cpuMs(report, 4) > mostMs;
    });
    expect(slow).toEqual([]);
  }, 240_000);

  test('time grows no faster than the report', () => {
    const quadratic = cases.filter(({ prefix, piece, isOneLine }, i) => {
      if (i % 12 !== 0) return false;
      const large = cpuMs(hostile(prefix, piece, 8 * largest, isOneLine), 1);
      // A linear reader takes 8 times as long for 8 times as much, a quadratic one 64 times.
      if (large < 60) return false;
      return (
        cpuMs(hostile(prefix, piece, 8 * largest, isOneLine), 3) >
        24 * cpuMs(hostile(prefix, piece, largest, isOneLine), 5)
      );
    });
    expect(quadratic).toEqual([]);
  }, 240_000);

  test('reads anything, and its answers are bounded and well-formed', () => {
    let seed = 1;
    const random = (below: number) => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    for (let round = 0; round < 200; round++) {
      const report = Array.from({ length: 400 }, () => pieces[random(pieces.length)]).join('');
      const crash = readCrashReport(report);
      expect(crash.kind.length).toBeLessThanOrEqual(128);
      expect(crash.message.length).toBeLessThanOrEqual(256);
      expect(crash.frames.length).toBeLessThanOrEqual(64);
      expect(crash.stack.length).toBeLessThanOrEqual(128);
      for (const frame of crash.stack) expect(frame.function.length).toBeLessThanOrEqual(600);
      expect(JSON.stringify(crash).isWellFormed()).toBe(true);
      expect(crashSignature(crash).isWellFormed()).toBe(true);
      expect(crashSignature(crash).length).toBeLessThan(2048);
    }
  });
});
