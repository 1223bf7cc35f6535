import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { admit } from '../../src/operator/targets/door.js';
import { temporaryFolder } from '../harness.js';
import { partedFolder } from '../target/parted.js';

const noFleet = new Set<string>();

const at = (path: string, more: Partial<Parameters<typeof admit>[0]> = {}) =>
  admit({ path, name: 'it', isBundle: false, engine: undefined, machines: noFleet, ...more });

function built(source: string, ...flags: string[]): string {
  const path = join(temporaryFolder(), 'built');
  writeFileSync(`${path}.c`, source);
  execFileSync('clang', [`${path}.c`, ...flags, '-o', path]);
  return path;
}

function script(text: string): string {
  const path = join(temporaryFolder(), 'script');
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
}

const plain = 'int main(void) { return 0; }';
const refusal = (why: RegExp) => ({ exitCode: 65, message: expect.stringMatching(why) });

test('a target is admitted for the engine that it is built for', async () => {
  const target = join(await partedFolder(), 'parted');
  expect(await at(target, { isBundle: true })).toEqual({ engine: 'libfuzzer', warnings: [] });
  const asked = at(target, { isBundle: true, engine: 'aflplusplus' });
  await expect(asked).rejects.toMatchObject(refusal(/built for libfuzzer, not for aflplusplus/));
});

test('a library that would stay behind is named, with or without a path to it', async () => {
  for (const link of [['-Wl,-rpath,$ORIGIN'], []]) {
    const target = join(await partedFolder(link), 'parted');
    await expect(at(target)).rejects.toMatchObject(refusal(/needs libpart\.so.*--bundle/));
  }
});

test('what no bot can run is refused in words', async () => {
  const program = built(plain);
  await expect(at(program)).rejects.toMatchObject(refusal(/no fuzzer in it/));
  expect(await at(program, { engine: 'command' })).toMatchObject({ engine: 'command' });
  const library = built('int f(void) { return 0; }', '-shared', '-fPIC');
  await expect(at(library)).rejects.toMatchObject(refusal(/a shared library/));
  await expect(at(built(plain, '-c'))).rejects.toMatchObject(refusal(/not linked yet/));
  await expect(at(script('text'))).rejects.toMatchObject(refusal(/neither an ELF/));
  await expect(at(script('PK\u0003\u0004'))).rejects.toMatchObject(refusal(/send it as a bundle/));
  const cut = script(readFileSync(program).toString('latin1', 0, 30));
  await expect(at(cut)).rejects.toMatchObject(refusal(/damaged or cut/));
});

test('a target for another machine than every bot is refused', async () => {
  const target = join(await partedFolder(), 'parted');
  const bytes = readFileSync(target);
  bytes.writeUInt16LE(183, 18);
  writeFileSync(target, bytes);
  const sent = at(target, { isBundle: true, machines: new Set(['x64']) });
  await expect(sent).rejects.toMatchObject(refusal(/built for arm64, and every bot is x64/));
});

test('a script passes, with a warning where its interpreter is not on this machine', async () => {
  expect(await at(script('#!/bin/sh -e\n'))).toEqual({ engine: 'libfuzzer', warnings: [] });
  const { warnings } = await at(script('#!/usr/bin/env -S strangeness -u\n'));
  expect(warnings).toEqual([expect.stringMatching(/needs strangeness, which is not on this/)]);
});
