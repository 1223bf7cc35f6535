import { execFileSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { quoted, replayEnvironment, replayLine } from '../../src/core/replay.js';
import {
  Crash,
  CrashContext,
  CrashGroup,
  CrashGroupStatus,
  StackFrame,
} from '../../src/gen/pandafuzz/v1/crash.js';
import type { Dossier } from '../../src/operator/crashes/dossier.js';
import { groupFolderName } from '../../src/operator/crashes/fetch.js';
import { groupSection, text } from '../../src/operator/crashes/markdown.js';
import { sarifLog, sarifResult } from '../../src/operator/crashes/sarif.js';
import { sarifErrors } from '../cli/sarif-schema.js';
import { replaying } from '../property/replaying.js';

const dossier = (crash: Partial<Crash>, group: Partial<CrashGroup> = {}): Dossier => ({
  crash: Crash.create(crash),
  group: CrashGroup.create({ id: '0198c0de-1111-7000-8000-000000000000', kind: 'SEGV', ...group }),
  similar: [],
  builds: [],
});

describe('how to reproduce', () => {
  const bots = 'symbolize=1:print_stacktrace=1:halt_on_error=1:abort_on_error=0:disable_coredump=1';
  const crash = (context: Partial<CrashContext>, report = '') =>
    Crash.create({ targetName: 'fuzzer', report, context: CrashContext.create(context) });

  test('has what the job set, and nothing that serves the bot alone', () => {
    const environment = {
      TMPDIR: '/bot/tmp',
      MODE: 'a b',
      ASAN_OPTIONS: `${bots}:detect_leaks=0:log_exe_name=0:log_path="/bot:1/log"`,
      ASAN_SYMBOLIZER_PATH: '/usr/bin/llvm-symbolizer',
      UBSAN_OPTIONS: `${bots}:log_path="/bot:1/log"`,
      TSAN_OPTIONS: `${bots}:external_symbolizer_path=/usr/bin/llvm-symbolizer`,
    };
    const command = [
      '/bot/target',
      '-max_total_time=60',
      '-handle_segv=0',
      '-runs=1',
      '/bot/input',
    ];
    expect(replayLine(crash({ command, environment }), 'in put')).toBe(
      "MODE='a b' ASAN_OPTIONS=detect_leaks=0 ./fuzzer -handle_segv=0 'in put'",
    );
  });

  test.each([
    [
      'x.c:1:2: runtime error: signed integer overflow',
      'UBSAN',
      'print_stacktrace=1:halt_on_error=1',
    ],
    ['WARNING: ThreadSanitizer: data race (pid=1)', 'TSAN', 'halt_on_error=1'],
  ])('keeps the options without which %j would not end it', (report, name, options) => {
    const environment = { [`${name}_OPTIONS`]: bots };
    expect(replayEnvironment(crash({ environment }, report))).toEqual({
      [`${name}_OPTIONS`]: options,
    });
  });

  test('is one word for a shell, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }).filter((one) => !one.includes('\0')),
        (word) => {
          const script = `printf %s ${quoted(word)}`;
          expect(execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' })).toBe(word);
        },
      ),
      { ...replaying(), numRuns: 30 },
    );
  });
});

describe('Markdown', () => {
  test('takes no markup from targets, and its fences hold', () => {
    expect(text('a*b* <script> [x](y) `c` my_name _e_ &lt; ~d~')).toBe(
      'a\\*b\\* \\<script> \\[x\\](y) \\`c\\` my_name \\_e\\_ &amp;lt; \\~d\\~',
    );
    const section = groupSection(dossier({ report: 'a\n```\n# no heading\n\u001b[31m' }), 0);
    expect(section).toMatch(/\n````text\na\n```\n# no heading\n\ufffd\[31m\n````$/);
  });
});

describe('SARIF', () => {
  const frame = (more: Partial<StackFrame>) => StackFrame.create(more);

  test('names files by URI: relative ones, those of the source root, and others', () => {
    const options = { sourceRoot: '/src/png' };
    const files = ['/src/png/a b/ü.c', '/usr/x#.c', 'rel/y.c', 'C:\\z.c', '/src/pngx.c'];
    const stack = files.map((file) => frame({ function: 'f', file, line: 3 }));
    const { stacks } = sarifResult(dossier({ stack }), options);
    const uris = stacks?.[0]?.frames.map((one) => one.location?.physicalLocation?.artifactLocation);
    expect(uris).toEqual([
      { uri: 'a%20b/%C3%BC.c', uriBaseId: 'SRCROOT' },
      { uri: 'file:///usr/x%23.c' },
      { uri: 'rel/y.c' },
      { uri: 'C%3A/z.c' },
      { uri: 'file:///src/pngx.c' },
    ]);
  });

  test('suppresses what people decided to leave', () => {
    const left = { status: CrashGroupStatus.WONT_FIX, note: 'why' };
    expect(sarifResult(dossier({}, left)).suppressions).toEqual([
      { kind: 'external', status: 'accepted', justification: 'why' },
    ]);
    expect(sarifResult(dossier({}, { status: CrashGroupStatus.FIXED })).suppressions).toEqual([]);
  });

  test('is valid for any group and crash', () => {
    const frames = fc.array(
      fc
        .record({ function: fc.string(), file: fc.string(), line: fc.nat(), module: fc.string() })
        .map(frame),
      { maxLength: 4 },
    );
    const some = fc.record({
      kind: fc.string(),
      message: fc.string(),
      topFrame: fc.string(),
      note: fc.string(),
      frames,
      stack: frames,
      crashHits: fc.nat(),
      status: fc.constantFrom(1, 2, 3, 4, 5),
      firstFoundAt: fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }),
      sourceRoot: fc.constantFrom(undefined, '/src'),
    });
    fc.assert(
      fc.property(fc.array(some, { maxLength: 5 }), (groups) => {
        const results = groups.map(({ stack, sourceRoot, ...group }) =>
          sarifResult(dossier({ stack }, group), { sourceRoot }),
        );
        const log = JSON.parse(JSON.stringify(sarifLog(results, { sourceRoot: '/src' })));
        expect(sarifErrors(log)).toEqual([]);
      }),
      { ...replaying(), numRuns: 100 },
    );
  });
});

test('a folder of a group is short, and leads nowhere else', () => {
  const { group } = dossier({}, { kind: `../../${'x'.repeat(200)}` });
  expect(groupFolderName(group)).toMatch(/^_{6}x{34}-0198c0de-[0-9a-f-]+$/);
});
