import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { findEngines } from '../../../src/bot/engines/found.js';
import { silentLog } from '../../../src/core/log.js';
import { JobSpec } from '../../../src/gen/pandafuzz/v1/job.js';
import { temporaryFolder } from '../../harness.js';
import { testWith } from '../../languages/tools.js';
import { given } from '../../steps.js';
import { aflPlusPlus, buildForAfl, buildProgram } from '../programs/build.js';

/** Merges fifty inputs of which two cover all, and returns what is left. */
async function merged(engineName: string, target: string): Promise<string[]> {
  const machine = { symbolizer: undefined, path: process.env['PATH'] ?? '' };
  const { engine } = given((await findEngines(machine, silentLog)).get(engineName));
  const root = temporaryFolder();
  const folder = (name: string) => join(root, name);
  const [inputs, output, state] = [folder('in'), folder('out'), folder('state')];
  for (const path of [inputs, output, state]) mkdirSync(path);
  const content = (index: number) => (index < 48 ? 'nothing' : index === 48 ? 'Ox' : 'Gx');
  for (let index = 0; index < 50; index++) {
    writeFileSync(join(inputs, String(index).padStart(40, '0')), content(index) + index);
  }
  const start = { target, inputs, output, state, seconds: 60, spec: JobSpec.create() };
  const command = given(await engine.merge?.(start));
  const env = { ...process.env, ...command.environment };
  await promisify(execFile)(command.file, [...command.args], { env, cwd: root });
  return readdirSync(output).map((name) => readFileSync(join(output, name), 'utf8'));
}

const needed = ['Ox48', 'Gx49'];

describe('a corpus becomes smaller', () => {
  test("by libFuzzer's merge", async () => {
    const target = await buildProgram('planted.c', ['-fsanitize=fuzzer']);
    const left = await merged('libfuzzer', target);
    expect(left).toEqual(expect.arrayContaining(needed));
    expect(left.length).toBeLessThan(10);
  });

  testWith(aflPlusPlus, 'by afl-cmin', async () => {
    const left = await merged('aflplusplus', await buildForAfl('planted.c', ['-fsanitize=fuzzer']));
    expect(left).toEqual(expect.arrayContaining(needed));
    expect(left.length).toBeLessThan(10);
  });
});
