import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { functionName, parseStackFrame } from '../../src/crash/frame.js';
import { crashSignature, parseCrashReport } from '../../src/crash/old.js';

/** As clang 14's tools wrote them on Debian 12, without the shadow bytes and build ids. */
const sample = (name: string) =>
  readFileSync(new URL(`../../../test/crash/samples/${name}.txt`, import.meta.url), 'latin1');

describe('parseCrashReport', () => {
  const fuzzed = 'LLVMFuzzerTestOneInput';
  test.each([
    [
      'asan-heap-buffer-overflow',
      'heap-buffer-overflow',
      ['repeat_row', 'read_tile', 'read_chunk', 'read_picture', fuzzed],
    ],
    [
      'asan-use-after-free-lambda',
      'heap-use-after-free',
      ['LLVMFuzzerTestOneInput::$_0::operator()', fuzzed],
    ],
    ['asan-double-free', 'double-free', ['main']],
    ['asan-no-stack', 'SEGV', []],
    ['lsan-memory-leak', 'memory-leak', ['pic::leak', fuzzed]],
    ['msan-uninitialized', 'use-of-uninitialized-value', [fuzzed]],
    ['tsan-data-race', 'data-race', ['bump']],
    ['ubsan-segv', 'SEGV', [fuzzed]],
    ['ubsan-with-stack', 'signed-integer-overflow', ['pic::Reader::overflow', fuzzed]],
    ['ubsan-without-stack', 'division-by-zero', ['t.cc:36']],
    ['libfuzzer-timeout', 'timeout', [fuzzed]],
    ['libfuzzer-out-of-memory', 'out-of-memory', ['pic::oom', fuzzed]],
    ['libfuzzer-target-exited', 'fuzz-target-exited', [fuzzed]],
    ['libfuzzer-uncaught-exception', 'deadly-signal', [fuzzed]],
  ])('reads %s', (name, kind, frames) => {
    const topFrame = frames[0] ?? 'unknown';
    expect(parseCrashReport(sample(name))).toEqual({ kind, frames, topFrame });
  });

  test('names frames without symbols by module and offset, without the signal handler', () => {
    const { frames } = parseCrashReport(sample('libfuzzer-stripped'));
    expect(frames.slice(0, 2)).toEqual(['ts+0x11d5d8', 'ts+0x432d3']);
  });

  test('keeps at most 64 frames', () => {
    const stack = Array.from({ length: 300 }, (_, i) => `    #${i} 0x1 in f${i} /src/a.c:1:2`);
    const report = ['==1==ERROR: AddressSanitizer: SEGV on x', ...stack].join('\n');
    expect(parseCrashReport(report).frames).toHaveLength(64);
  });

  test('does not take where memory was freed for where it crashed', () => {
    const report = [
      '==1==ERROR: AddressSanitizer: heap-use-after-free on address 0x1',
      'freed by thread T0 here:',
      '    #0 0x1 in release /src/a.c:1:2',
    ].join('\n');
    expect(parseCrashReport(report).frames).toEqual([]);
  });

  test('prefers what ended the target to a warning before it', () => {
    const report = [
      'a.c:1:2: runtime error: left shift of negative value -1',
      '    #0 0x1 in shifts /src/a.c:1:2',
      '==1== ERROR: libFuzzer: timeout after 26 seconds',
      '    #0 0x1 in hangs /src/a.c:1:2',
    ].join('\n');
    expect(parseCrashReport(report)).toMatchObject({ kind: 'timeout', topFrame: 'hangs' });
  });

  test.each([
    ['attempting free on address which was not malloc()-ed: 0x1', 'bad-free'],
    ['requested allocation size 0xfff exceeds maximum', 'allocation-size-too-big'],
    ['negative-size-param: (size=-1)', 'negative-size-param'],
    ['stack-buffer-overflow on address 0x1', 'stack-buffer-overflow'],
  ])('calls "%s" %s', (headline, kind) => {
    expect(parseCrashReport(`==1==ERROR: AddressSanitizer: ${headline}`).kind).toBe(kind);
  });

  test.each(['', '\n\n', 'nothing to see', '#0', '    #0 0x', '==1==ERROR: AddressSanitizer: '])(
    'says unknown of %j',
    (report) => {
      expect(parseCrashReport(report)).toEqual({
        kind: 'unknown',
        frames: [],
        topFrame: 'unknown',
      });
    },
  );

  test('reads 128 KiB of anything within a second, and never throws', () => {
    const pieces = [
      '(((((',
      '<<<<<',
      '>>>>',
      ')))',
      ' in ',
      '#1 0x1 in ',
      '\n',
      'operator',
      '::',
      ' ',
      '/',
      '==1==ERROR: AddressSanitizer: ',
      ': runtime error: ',
      ':1:1',
      '\ud800',
      '\0',
      '+0x1)',
      ' (BuildId: ',
      ' [clone ',
      '(anonymous namespace)',
      '->',
      'a',
      '"" ',
    ];
    let seed = 1;
    const random = () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed;
    };
    const mixed = Array.from({ length: 20_000 }, () => pieces[random() % pieces.length]).join('');
    const repeated = pieces.map((piece) => `#1 0x1 in ${piece.repeat(30_000)}`.slice(0, 131_072));
    const oneLine = `#1 0x1 in ${mixed.replaceAll('\n', '')}`;
    const deep = `#1 0x1 in ${'<('.repeat(1000)}${'>>'.repeat(1000)}\n`.repeat(32);
    for (const report of [mixed, oneLine, deep, ...repeated]) {
      const startedAt = performance.now();
      const crash = parseCrashReport(report.slice(0, 131_072));
      expect(performance.now() - startedAt).toBeLessThan(1000);
      expect(crash.kind.length).toBeLessThanOrEqual(128);
      for (const frame of crash.frames) expect(frame.length).toBeLessThanOrEqual(256);
      expect(crashSignature(crash).length).toBeLessThan(1024);
    }
  });
});

describe('crashSignature', () => {
  const crash = (kind: string, ...frames: string[]) => crashSignature({ kind, frames });

  test('is that of the kind and the three innermost frames', () => {
    expect(crash('SEGV', 'a', 'b', 'c', 'd')).toBe(crash('SEGV', 'a', 'b', 'c', 'e'));
    expect(crash('SEGV', 'a', 'b', 'c')).not.toBe(crash('SEGV', 'a', 'b', 'd'));
    expect(crash('SEGV', 'a')).not.toBe(crash('FPE', 'a'));
  });

  test('counts recursion once', () => {
    expect(crash('SEGV', 'a', 'b', 'b', 'b', 'c')).toBe(crash('SEGV', 'a', 'b', 'c'));
  });

  test('of a stack overflow does not depend on where the stack ended', () => {
    const overflow = (...frames: string[]) => crash('stack-overflow', ...frames);
    expect(overflow('a', 'b', 'a', 'b', 'a')).toBe(overflow('b', 'a', 'b', 'a', 'b'));
    expect(overflow('leaf', 'a', 'b', 'a', 'b')).toBe(overflow('a', 'b', 'a', 'b'));
    expect(parseCrashReport(sample('asan-stack-overflow')).topFrame).toBe('blend');
  });
});

describe('functionName', () => {
  test.each([
    ['read_tile', 'read_tile'],
    ['void foo<int>(int)', 'foo'],
    ['std::function<int (int)>::operator()(int) const', 'std::function::operator()'],
    ['(anonymous namespace)::f(int)', '(anonymous namespace)::f'],
    ['std::ostream& std::operator<< <std::c<char> >(std::ostream&)', 'std::operator<<'],
    ['operator new[](unsigned long)', 'operator new[]'],
    ['X::operator->() const', 'X::operator->'],
    ['X::operator bool() const', 'X::operator bool'],
    ['foo(int)::{lambda(int)#1}::operator()(int) const', 'foo::{lambda#1}::operator()'],
    ['non-virtual thunk to A::b(int)', 'A::b'],
    ['std::string::c_str[abi:cxx11]() const', 'std::string::c_str'],
    ['f(int) [clone .isra.0]', 'f'],
    [
      '<alloc::vec::Vec<T> as core::ops::Index<I>>::index',
      '<alloc::vec::Vec as core::ops::Index>::index',
    ],
  ])('%s is %s', (text, name) => {
    expect(functionName(text)).toBe(name);
  });
});

describe('parseStackFrame', () => {
  test.each([
    ['    #1 0x4f in f(int) const /src/a b.cc:1:2', 'f', false],
    ['    #0 racer /tmp/x.c:3 (a.out+0x4a) (BuildId: ab)', 'racer', false],
    [
      '    #3 0x7f  (/lib/x86_64-linux-gnu/libc.so.6+0x3c04f) (BuildId: 93)',
      'libc.so.6+0x3c04f',
      true,
    ],
    ['    #2 0x1 in main csu/../sysdeps/nptl/x.h:58:16', 'main', true],
    ['    #0 0x1 in __asan_memcpy (/t/ta+0xdee04)', '__asan_memcpy', true],
    ['    #0 0x1 in memcpy_tile /src/a.c:1', 'memcpy_tile', false],
  ])('%s', (line, name, isRuntime) => {
    expect(parseStackFrame(line)).toMatchObject({ name, isRuntime });
  });

  test('passes over what is no frame', () => {
    expect(parseStackFrame('#4096\tpulse  cov: 41 ft: 53')).toBeUndefined();
    expect(parseStackFrame('freed by thread T0 here:')).toBeUndefined();
  });
});
