import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { libFuzzer } from '../../../src/bot/engines/libfuzzer/libfuzzer.js';
import { uselessStart, wordsOfSpawnError } from '../../../src/bot/runs/useless-start.js';
import { startSandbox } from '../../../src/bot/sandbox/sandbox.js';
import { JobOutcome, StartTrouble } from '../../../src/gen/pandafuzz/v1/job.js';
import { temporaryFolder } from '../../harness.js';
import { noexecFolder } from '../noexec.js';
import { uncontainedRun } from '../sandbox/contained.js';

/** Real files, started as targets are: what the bot makes of the words that come. */

const engine = libFuzzer({ symbolizer: undefined });

async function started(target: string) {
  const { tools, folder } = await uncontainedRun();
  let words = '';
  const sandbox = await startSandbox(tools, {
    file: target,
    args: ['-runs=1'],
    environment: {},
    cwd: join(folder, 'work'),
    maxFileBytes: 2 ** 20,
    onOutput: (chunk) => {
      words += chunk.toString();
    },
  });
  return uselessStart(await sandbox.exited, words, { engine, folder: { target } });
}

function file(content: string | Buffer, mode = 0o755): string {
  const path = join(temporaryFolder(), 'target');
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

const script = (interpreter: string, body: string) => file(`#!${interpreter}\n${body}\n`);

function compiled(source: string, ...flags: string[]): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'a.c'), source);
  const target = join(folder, 'target');
  execFileSync('clang', [join(folder, 'a.c'), '-o', target, ...flags]);
  return target;
}

/** A program whose library is gone. */
function withoutLibrary(): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'needed.c'), 'int needed(void) { return 0; }');
  const library = join(folder, 'libneeded.so');
  execFileSync('clang', ['-shared', '-fPIC', join(folder, 'needed.c'), '-o', library]);
  const source = 'int needed(void); int main(void) { return needed(); }';
  const target = compiled(source, library, `-Wl,-rpath,${folder}`);
  rmSync(library);
  return target;
}

/** /bin/true for another processor. */
function foreign(): string {
  const target = join(temporaryFolder(), 'target');
  copyFileSync('/bin/true', target);
  const bytes = readFileSync(target);
  bytes.writeUInt16LE(process.arch === 'arm64' ? 62 : 183, 18);
  writeFileSync(target, bytes);
  chmodSync(target, 0o755);
  return target;
}

describe('the bot lacks', () => {
  test.each([
    ['a library', withoutLibrary, /^library \S*libneeded\.so$/],
    [
      'an interpreter',
      () => script('/opt/none/python9', 'x'),
      /^interpreter \/opt\/none\/python9$/,
    ],
    [
      'a program that env looks for',
      () => script('/usr/bin/env python9', 'x'),
      /^program python9$/,
    ],
    [
      'a module of Python',
      () => script('/usr/bin/env python3', 'import no_such_thing'),
      /^Python module no_such_thing$/,
    ],
    ['a processor', foreign, /^processor (?:aarch64|x86-64)$/],
  ])('%s', async (_what, make, cause) => {
    const end = await started(make());
    expect(end).toMatchObject({
      outcome: JobOutcome.INFRASTRUCTURE,
      trouble: StartTrouble.MISSING,
      cause: expect.stringMatching(cause),
    });
    expect(end.message).toMatch(/^the target cannot be started on this bot: .* is missing here/);
  });
});

test('an exit code of a shell, without a known word, is the bot’s until a second one has it', async () => {
  for (const code of [126, 127]) {
    expect(await started(script('/bin/sh', `exit ${code}`))).toMatchObject({
      outcome: JobOutcome.INFRASTRUCTURE,
      trouble: StartTrouble.MISSING,
      cause: `exit code ${code}`,
    });
  }
});

describe('the machine does not let it start', () => {
  const machine = { outcome: JobOutcome.INFRASTRUCTURE, trouble: StartTrouble.MACHINE };

  test('without permission', async () => {
    const target = file('#!/bin/sh\nexit 0\n', 0o644);
    expect(await started(target)).toMatchObject(machine);
  });

  test('from a folder mounted noexec', async () => {
    const folder = noexecFolder();
    if (folder === undefined) return;
    const target = join(folder, 'target');
    copyFileSync('/bin/true', target);
    const end = await started(target);
    expect(end).toMatchObject(machine);
    expect(end.message).toContain('nothing may be executed in the work folder');
  });

  test.each([
    ['no room', 'echo "write: No space left on device" >&2; exit 1'],
    ['no process', 'echo "sh: 1: Cannot fork" >&2; exit 2'],
    ['no memory', 'echo "mmap: Cannot allocate memory" >&2; exit 1'],
    ['a kill from outside', 'kill -9 $$'],
  ])('with %s', async (_what, body) => {
    expect(await started(script('/bin/sh', body))).toMatchObject(machine);
  });

  test('as Node says it, where no other program stands before the target', async () => {
    const target = file('#!/bin/sh\nexit 0\n', 0o644);
    const error = await once(spawn(target), 'exit').catch((thrown: unknown) => thrown);
    expect(wordsOfSpawnError(error)).toMatch(/Permission denied/);
    expect(wordsOfSpawnError(new Error('spawn'))).toBeUndefined();
  });
});

describe('it is certain of', () => {
  const final = { outcome: JobOutcome.FAILED, final: true };

  test.each([
    ['a program without a fuzzer', () => '/bin/ls', /no fuzzer/],
    [
      'a script that knows no flags',
      () => script('/bin/sh', 'echo "usage: frobnicate FILE"; exit 2'),
      /no fuzzer.*usage: frobnicate/s,
    ],
    ['a file that is no program', () => file('just text\n'), /neither ELF/],
    ['an empty file', () => file(''), /neither ELF/],
  ])('%s', async (_what, make, message) => {
    const end = await started(make());
    expect(end).toMatchObject(final);
    expect(end.message).toMatch(message);
  });

  test.each([
    ['whose dictionary cannot be read', {}, /the dictionary cannot be read/],
    [
      'whose sanitizer cannot read its options',
      { ASAN_OPTIONS: 'detect_leaks=0:odd' },
      /the options of the target's sanitizer cannot be read/,
    ],
  ])('a fuzzer %s', async (_what, environment: Record<string, string>, message) => {
    const target = compiled(
      'int LLVMFuzzerTestOneInput(const char *data, unsigned long size) { return 0; }',
      '-fsanitize=fuzzer,address',
    );
    const dictionary = file('no dictionary\n', 0o644);
    let words = '';
    const { tools, folder } = await uncontainedRun();
    const sandbox = await startSandbox(tools, {
      file: target,
      args: [`-dict=${dictionary}`],
      environment,
      cwd: join(folder, 'work'),
      maxFileBytes: 2 ** 20,
      onOutput: (chunk) => {
        words += chunk.toString();
      },
    });
    const end = await uselessStart(await sandbox.exited, words, { engine, folder: { target } });
    expect(end).toMatchObject(final);
    expect(end.message).toMatch(message);
  });
});

test('what may be of its surroundings uses up an attempt, and is tried again', async () => {
  const target = script('/bin/sh', 'echo "config.ini not found" >&2; exit 1');
  const end = await started(target);
  expect(end.outcome).toBe(JobOutcome.FAILED);
  expect(end.final).toBeUndefined();
});
