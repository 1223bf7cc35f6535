import { describe, expect, test } from '@jest/globals';
import { readCrashReport } from '../../src/crash/report.js';
import { crashSignature, distinctionKey } from '../../src/crash/signature.js';

const sign = (report: string, target = 'picture') =>
  crashSignature(readCrashReport(report), { target });

/** A report of AddressSanitizer with one frame a function, inside out. */
function asan(
  kind: string,
  functions: readonly string[],
  change: (line: string, i: number) => string = (line) => line,
) {
  const frames = functions.map((name, i) =>
    change(`    #${i} 0x55d0${i}0 in ${name} /src/a.cc:${i + 10}:3`, i),
  );
  return [
    `==7==ERROR: AddressSanitizer: ${kind} on address 0x602000000011`,
    'READ of size 4 at 0x602 thread T0',
    ...frames,
    'SUMMARY: AddressSanitizer',
  ].join('\n');
}

const stack = ['row(int)', 'section()', 'picture()', 'file()', 'LLVMFuzzerTestOneInput'];

describe('crashSignature', () => {
  test('is that of the three innermost functions', () => {
    expect(sign(asan('SEGV', stack))).toBe(sign(asan('SEGV', [...stack.slice(0, 3), 'other()'])));
    expect(sign(asan('SEGV', stack))).not.toBe(
      sign(asan('SEGV', ['row(int)', 'section()', 'other()'])),
    );
  });

  test.each([
    ['addresses and processes', (line: string) => line.replace('0x55d0', '0x7ffe'), stack],
    ['folders of the build', (line: string) => line.replace('/src/', '/home/builder/work/'), stack],
    ['lines', (line: string) => line.replace(/:(\d+):3/, (_, n) => `:${Number(n) + 40}:9`), stack],
    [
      'suffixes of the compiler',
      (line: string, i: number) =>
        i === 1 ? line.replace('section()', 'section() [clone .part.0]') : line,
      stack,
    ],
    [
      'parts of functions',
      (line: string, i: number) => (i === 1 ? line.replace('section()', 'section.isra.0') : line),
      stack,
    ],
    ['recursion on top', (line: string) => line, ['row(int)', ...stack]],
    [
      'namespaces that inlined frames lack',
      (line: string) => line.replace('section()', 'gif::Reader::section()'),
      stack,
    ],
    [
      'library frames on top',
      (line: string, i: number) =>
        i === 0 ? line.replace('/src/', '/usr/include/c++/12/bits/') : line,
      ['at', ...stack],
    ],
  ])('does not depend on %s', (_, change, functions) => {
    expect(sign(asan('SEGV', functions, change))).toBe(sign(asan('SEGV', stack)));
  });

  test('is one for a function inlined under two spellings', () => {
    const doubled = asan(
      'SEGV',
      ['~Row', 'gif::Row::~Row()', 'section()', 'picture()'],
      (line, i) => (i < 2 ? line.replace(`0x55d0${i}0`, '0x55d000') : line),
    );
    expect(sign(doubled)).toBe(sign(asan('SEGV', ['gif::Row::~Row()', 'section()', 'picture()'])));
    expect(readCrashReport(doubled).topFrame).toBe('gif::Row::~Row');
  });

  test.each([
    'heap-buffer-overflow',
    'heap-use-after-free',
    'stack-buffer-overflow',
    'global-buffer-overflow',
    'BUS',
  ])('is that of a SEGV at the same place for %s', (kind) =>
    expect(sign(asan(kind, stack))).toBe(sign(asan('SEGV', stack))),
  );

  test.each(['stack-overflow', 'memcpy-param-overlap', 'FPE', 'alloc-dealloc-mismatch'])(
    'is another for %s',
    (kind) => expect(sign(asan(kind, stack))).not.toBe(sign(asan('SEGV', stack))),
  );

  test('of methods with one name in two files is two', () => {
    const other = asan('SEGV', stack, (line, i) =>
      i === 0 ? line.replace('/src/a.cc', '/src/b.cc') : line,
    );
    expect(sign(other)).not.toBe(sign(asan('SEGV', stack)));
  });

  test('of a timeout and of exhausted memory is that of the target', () => {
    const alarm = (kind: string, name: string) =>
      `==1== ERROR: libFuzzer: ${kind}\n    #0 0x1 in ${name} /src/a.c:1:2\n    #1 0x2 in turn /src/a.c:9`;
    expect(sign(alarm('timeout after 25 seconds', 'add'))).toBe(
      sign(alarm('timeout after 26 seconds', 'multiply')),
    );
    const exhausted = 'out-of-memory (used: 2049Mb; limit: 2048Mb)';
    expect(sign(alarm(exhausted, 'grow'))).toBe(sign(alarm(exhausted, 'copy')));
    expect(sign(alarm(exhausted, 'grow'))).not.toBe(sign(alarm(exhausted, 'grow'), 'other'));
    // One huge allocation is its caller's.
    const single = 'out-of-memory (malloc(3221225472))';
    expect(sign(alarm(single, 'grow'))).not.toBe(sign(alarm(single, 'copy')));
  });

  test('of a recursion is its smallest cycle, wherever the stack ended', () => {
    const cycle = (first: string[], rounds: number) =>
      asan('stack-overflow', [
        ...first,
        ...Array.from({ length: rounds }, () => ['list()', 'item()', 'value()']).flat(),
      ]);
    expect(sign(cycle([], 10))).toBe(sign(cycle(['item()', 'value()'], 12)));
    expect(sign(cycle(['length()'], 10))).toBe(sign(cycle(['hash()', 'value()'], 9)));
    expect(sign(cycle([], 10))).not.toBe(
      sign(
        asan(
          'stack-overflow',
          Array.from({ length: 30 }, () => 'other()'),
        ),
      ),
    );
  });

  test('of a deep recursion without a sanitizer is that of a stack overflow', () => {
    const frames = Array.from(
      { length: 90 },
      (_, i) => `#${i}  0x0000555555555189 in list (n=${i}) at /src/a.cc:12`,
    );
    const gdb = ['Program received signal SIGSEGV, Segmentation fault.', ...frames].join('\n');
    expect(sign(gdb)).toBe(
      sign(
        asan(
          'stack-overflow',
          Array.from({ length: 90 }, () => 'list(int)'),
        ),
      ),
    );
  });

  test('of a race is the same from both sides', () => {
    const race = (a: string, b: string) =>
      `WARNING: ThreadSanitizer: data race (pid=7)\n  Write of size 4 at 0x1 by thread T2:\n    #0 ${a} /src/a.cc:3 (t+0x1)\n\n  Previous write of size 4 at 0x1 by thread T1:\n    #0 ${b} /src/a.cc:9 (t+0x2)\n`;
    expect(sign(race('push', 'pop'))).toBe(sign(race('pop', 'push')));
    expect(sign(race('push', 'pop'))).not.toBe(sign(race('push', 'clear')));
  });

  test('tells checks in one function apart, whatever their values', () => {
    const check = (condition: string) =>
      `F1127 10:00:00.123456  4711 a.cc:12] Check failed: ${condition}\n*** Check failure stack trace: ***\n    @     0x7f12  google::LogMessage::Fail()\n    @     0x55e1  header()\n`;
    expect(sign(check('width == 7 (1 vs. 7) '))).toBe(sign(check('width == 7 (99 vs. 7) ')));
    expect(sign(check('width == 7 (1 vs. 7) '))).not.toBe(sign(check('height == 7 (1 vs. 7) ')));
  });

  test('of an exception is its type and place, not the words of the input in it', () => {
    const raised = (text: string) =>
      `Traceback (most recent call last):\n  File "/src/a.py", line 3, in run\n    read(d)\n  File "/src/a.py", line 9, in read\n    raise X\n${text}\n`;
    expect(sign(raised("ValueError: invalid literal for int() with base 10: 'x1'"))).toBe(
      sign(raised("ValueError: invalid literal for int() with base 10: 'zz'")),
    );
    expect(sign(raised('ValueError: x'))).not.toBe(sign(raised("KeyError: 'x'")));
  });
});

describe('distinctionKey', () => {
  const key = (report: string) => distinctionKey(readCrashReport(report));

  test('is finer than the signature: kinds and lines count', () => {
    expect(key(asan('SEGV', stack))).toBe(
      key(asan('SEGV', stack, (line) => line.replace('0x55d0', '0x7ffe'))),
    );
    expect(key(asan('SEGV', stack))).not.toBe(key(asan('BUS', stack)));
    expect(key(asan('SEGV', stack))).not.toBe(
      key(asan('SEGV', stack, (line, i) => (i === 1 ? line.replace(':11:', ':12:') : line))),
    );
  });

  test.each(['', 'nothing to see\n', '#4096\tpulse  cov: 41 ft: 53'])(
    'is empty for %j',
    (report) => {
      expect(key(report)).toBe('');
      expect(readCrashReport(report)).toMatchObject({
        kind: 'unknown',
        topFrame: 'unknown',
        isKnown: false,
      });
    },
  );
});

describe('a list of the project', () => {
  const report = asan('SEGV', ['app::fatal(int)', 'base::check()', 'row(int)', 'section()']);
  test.each([
    [{ functions: ['app::*', 'base::check'] }, 'row'],
    [{ functions: ['app::fatal'] }, 'base::check'],
    [{ files: ['/nothing/'] }, 'app::fatal'],
    [{}, 'app::fatal'],
  ])('%j leaves %s on top', (project, top) => {
    expect(readCrashReport(report, { project }).topFrame).toBe(top);
  });
});
