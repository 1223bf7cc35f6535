import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { engineOf, traitsOf } from '../../src/core/target-engine.js';
import { aflPlusPlus, buildForAfl, buildProgram } from '../bot/programs/build.js';
import { temporaryFolder } from '../harness.js';
import { testWith } from '../languages/tools.js';

function file(content: string | Buffer): string {
  const path = join(temporaryFolder(), 'target');
  writeFileSync(path, content);
  chmodSync(path, 0o755);
  return path;
}

describe("a target's engine", () => {
  test('is libFuzzer for what clang has built with it', async () => {
    const path = await buildProgram('planted.c', ['-fsanitize=fuzzer']);
    expect(await engineOf(path)).toBe('libfuzzer');
    expect(await engineOf(readFileSync(path))).toBe('libfuzzer');
  });

  testWith(
    aflPlusPlus,
    'is AFL++ for what its compiler has built, by any entry point',
    async () => {
      const driver = await traitsOf(await buildForAfl('planted.c', ['-fsanitize=fuzzer']));
      expect(driver.engine).toBe('aflplusplus');
      expect([...driver.marks]).toEqual(expect.arrayContaining(['aflDriver', 'asan']));
      const own = await traitsOf(await buildForAfl('reads.c', []));
      expect(own.engine).toBe('aflplusplus');
      expect(own.marks.has('aflDriver')).toBe(false);
      expect((await traitsOf(await buildForAfl('reads.c', ['-DLOOP']))).marks).toContain(
        'aflPersistent',
      );
    },
  );

  test.each([
    ['#!/usr/bin/python3\nimport atheris\natheris.Fuzz()\n', 'libfuzzer'],
    ['#!/usr/bin/env node\nrequire("@jazzer.js/core")\n', 'jazzerjs'],
    ['#!/bin/sh\nls "$PANDAFUZZ_CORPUS"\n', 'command'],
    ['#!/bin/sh\necho "libFuzzer: run interrupted"\n', undefined],
    ['\x7fELF … __AFL_SHM_ID … libFuzzer: run interrupted', 'aflplusplus'],
    ['\x7fELF … __AFL_SHM_ID … hfuzz_trace_pc', 'honggfuzz'],
    ['\x7fELF … libafl_libfuzzer …', 'libfuzzer'],
    ['\x7fELF and nothing else', undefined],
    ['', undefined],
  ])('%j: %s', async (content, engine) => {
    expect(await engineOf(file(content))).toBe(engine);
    expect(await engineOf(Buffer.from(content))).toBe(engine);
  });

  test('is found wherever its mark lies in a large file, across pieces too', async () => {
    const content = Buffer.alloc(9 * 2 ** 20, '.');
    content.write('__AFL_SHM_ID', 4 * 2 ** 20 - 5);
    expect(await engineOf(file(content))).toBe('aflplusplus');
  });

  test('is read again when the file has changed', async () => {
    const path = file('\x7fELF __AFL_SHM_ID');
    expect(await engineOf(path)).toBe('aflplusplus');
    writeFileSync(path, '\x7fELF something else entirely');
    expect(await engineOf(path)).toBeUndefined();
  });
});
