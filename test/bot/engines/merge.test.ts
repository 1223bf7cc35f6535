import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import type { EngineCommand } from '../../../src/bot/engines/engine.js';
import { findEngines } from '../../../src/bot/engines/found.js';
import { readCovered } from '../../../src/bot/engines/honggfuzz/figures.js';
import { silentLog } from '../../../src/core/log.js';
import { JobSpec } from '../../../src/gen/pandafuzz/v1/job.js';
import { temporaryFolder } from '../../harness.js';
import { testWith } from '../../languages/tools.js';
import { given } from '../../steps.js';
import {
  aflPlusPlus,
  buildForAfl,
  buildForHonggfuzz,
  buildProgram,
  honggfuzz,
  honggfuzzFolder,
} from '../programs/build.js';

/** Merges fifty inputs of which two cover all, and returns what is left, and what it covers. */
async function merged(engineName: string, target: string) {
  const path = `${honggfuzzFolder}:${process.env['PATH']}`;
  const machine = { symbolizer: undefined, path };
  const { engine } = given((await findEngines(machine, silentLog)).get(engineName));
  const root = temporaryFolder();
  const folder = (name: string) => join(root, name);
  const [inputs, output, state] = [folder('in'), folder('out'), folder('state')];
  for (const path of [inputs, output, state]) mkdirSync(path);
  const content = (index: number) => (index < 48 ? 'nothing' : index === 48 ? 'Ox' : 'Gx');
  for (let index = 0; index < 50; index++) {
    writeFileSync(join(inputs, String(index).padStart(40, '0')), content(index) + index);
  }
  const spec = JobSpec.create();
  const run = async (command: EngineCommand) => {
    const env = { ...process.env, ...command.environment, TMPDIR: root };
    const done = await promisify(execFile)(command.file, [...command.args], { env, cwd: root });
    return done.stdout + done.stderr;
  };
  await run(given(await engine.merge?.({ target, inputs, output, state, seconds: 60, spec })));
  const measuring = given(engine.measuring);
  const measured = async (folder: string) =>
    measuring.read(await run(await measuring.command({ target, spec, inputs: folder })));
  return {
    left: readdirSync(output).map((name) => readFileSync(join(output, name), 'utf8')),
    before: given(await measured(inputs)),
    after: given(await measured(output)),
  };
}

test("honggfuzz's sums of a merge are read from its last line that has some", () => {
  const line = (sums: string) => `Sz:8 Tm:59us (i/b/h/e/p/c) New:0/0/0/1/0/4, Cur:${sums}\n`;
  const end = 'Entering phase 3/3: Corpus Minimization\nMinimized files were copied to x\n';
  expect(readCovered(`${line('0/0/0/2/0/7')}${line('0/1/0/3/0/9')}${end}`)).toEqual({
    coverage: 4,
    features: 9,
  });
  expect(readCovered(line('0/0/0/2/0/7'))).toBeUndefined();
  expect(readCovered(end)).toBeUndefined();
});

const needed = ['Ox48', 'Gx49'];

describe('a corpus becomes smaller', () => {
  test("by libFuzzer's merge", async () => {
    const target = await buildProgram('planted.c', ['-fsanitize=fuzzer']);
    const { left, before, after } = await merged('libfuzzer', target);
    expect(after).toEqual(before);
    expect(left).toEqual(expect.arrayContaining(needed));
    expect(left.length).toBeLessThan(10);
  });

  testWith(aflPlusPlus, 'by afl-cmin', async () => {
    const target = await buildForAfl('planted.c', ['-fsanitize=fuzzer']);
    const { left, before, after } = await merged('aflplusplus', target);
    expect(after).toEqual(before);
    expect(before.coverage).toBeGreaterThan(2);
    expect(left).toEqual(expect.arrayContaining(needed));
    expect(left.length).toBeLessThan(10);
  });

  testWith(honggfuzz, 'by honggfuzz', async () => {
    const target = await buildForHonggfuzz('planted.c');
    const { left, before, after } = await merged('honggfuzz', target);
    expect(after.coverage).toBe(before.coverage);
    expect(before.coverage).toBeGreaterThan(2);
    expect(left).toEqual(
      expect.arrayContaining([expect.stringMatching(/^O/), expect.stringMatching(/^G/)]),
    );
    expect(left.length).toBeLessThan(30);
  });
});
