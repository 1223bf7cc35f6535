import { execFile } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from '../../../src/bot/sandbox/programs.js';
import { temporaryFolder } from '../../endings.js';

export const withAddressSanitizer = ['-fsanitize=fuzzer,address'];

/** Brought by test/integration/set-up.sh: a Python that has Atheris, and panics/, built. */
export const atherisPython = resolve('.tools/atheris/bin/python3');
export const panicsProgram = resolve('.tools/panics/panics');

/** A program of this folder, built by a real clang; gone after the test. */
export async function buildProgram(source: string, flags: readonly string[]): Promise<string> {
  const out = join(temporaryFolder(), basename(source).replace(/\..*/, ''));
  const compiler = source.endsWith('.cc') ? 'clang++' : 'clang';
  const common = ['-g', '-O1', '-fno-omit-frame-pointer'];
  const path = join('test/bot/programs', source);
  await promisify(execFile)(compiler, [...common, path, ...flags, '-o', out]);
  return out;
}

/** Whether AFL++ is there, which test/integration/set-up.sh brings. */
export const aflPlusPlus = {
  isThere: findProgram(['afl-clang-fast']) !== undefined,
  name: 'AFL++',
};

/**
 * A program of this folder with ASan, built by AFL++'s compiler; gone after the test. With
 * `hasCmplog` its CmpLog build, without ASan, lies beside it.
 */
export async function buildForAfl(
  source: string,
  flags: readonly string[],
  { hasCmplog = false } = {},
): Promise<string> {
  const out = join(temporaryFolder(), basename(source).replace(/\..*/, ''));
  await compileForAfl(source, flags, out, { AFL_USE_ASAN: '1' });
  if (hasCmplog) await compileForAfl(source, flags, `${out}.cmplog`, { AFL_LLVM_CMPLOG: '1' });
  return out;
}

async function compileForAfl(
  source: string,
  flags: readonly string[],
  out: string,
  more: Readonly<Record<string, string>>,
): Promise<void> {
  const env = { ...process.env, AFL_QUIET: '1', ...more };
  const path = join('test/bot/programs', source);
  const args = ['-g', '-O1', '-fno-omit-frame-pointer', path, ...flags, '-o', out];
  await promisify(execFile)('afl-clang-fast', args, { env });
}

/** A script of this folder as one executable file, for this interpreter; gone after the test. */
export function buildScript(source: string, interpreter: string): string {
  const out = join(temporaryFolder(), basename(source).replace(/\..*/, ''));
  const text = readFileSync(join('test/bot/programs', source), 'utf8');
  writeFileSync(out, `#!${interpreter}\n${text}`);
  chmodSync(out, 0o755);
  return out;
}

/** Brought by test/integration/set-up.sh: gofuzz/, built by "go test -c -fuzz=.". */
export const goBinary = resolve('.tools/gofuzz/planted.test');
export const goFuzzing = { isThere: existsSync(goBinary), name: 'Go' };

/** Brought by test/integration/set-up.sh: honggfuzz, and the libraries that targets are linked to. */
export const honggfuzzFolder = resolve('.tools/honggfuzz');
export const honggfuzz = {
  isThere: existsSync(join(honggfuzzFolder, 'honggfuzz')),
  name: 'honggfuzz',
};

/** A program of this folder with ASan, built as honggfuzz's own compiler would; gone after the test. */
export async function buildForHonggfuzz(source: string, flags: readonly string[] = []) {
  const coverage = '-fsanitize-coverage=trace-pc-guard,trace-cmp,trace-div,indirect-calls';
  const hooks = ['LIBHFUZZ_module_instrument', 'LIBHFUZZ_module_memorycmp'];
  const libraries = ['libhfuzz.a', 'libhfcommon.a'].map((name) => join(honggfuzzFolder, name));
  return buildProgram(source, [
    ...['-fno-builtin', '-fsanitize=address', coverage, ...flags],
    ...hooks.map((hook) => `-Wl,-u,${hook}`),
    ...[...libraries, '-lpthread', '-ldl', '-lrt', '-lm'],
  ]);
}

/** Brought by test/integration/set-up.sh where the C library is new enough. */
export const jazzerPrograms = resolve('.tools/jazzer/node_modules/.bin');
export const jazzerJs = {
  isThere: existsSync(join(jazzerPrograms, 'jazzer')),
  name: 'Jazzer.js that loads',
};
