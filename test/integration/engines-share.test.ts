import { globSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import { submitJobs } from '../../src/operator/submit.js';
import { aflPlusPlus, buildForAfl, buildProgram } from '../bot/programs/build.js';
import { atEnd } from '../harness.js';
import { testWith } from '../languages/tools.js';
import { Process, place, reach } from '../processes.js';
import { eventually } from '../steps.js';

testWith(
  aflPlusPlus,
  'libFuzzer and AFL++ have the finds of each other, while they fuzz builds of one target',
  async () => {
    const { address, directory, environment } = await place();
    new Process(['master'], environment);
    const connection = await reach(address);
    const begin = (name: string) => {
      const work = join(directory, name);
      const flags = ['--name', name, '--work-dir', work, '--slots', '1', '--label', `is=${name}`];
      const args = ['bot', '--master', address, '--corpus-interval', '1s', ...flags];
      const bot = new Process(args, environment);
      // Killed, it would leave the clearing up to its next start, of which there is none.
      atEnd(async () => {
        bot.end('SIGTERM');
        await bot.exited;
      });
      return work;
    };
    const fuzz = (engine: string, targetPath: string, bot: string) =>
      submitJobs(connection, {
        targetPath,
        spec: {
          engine,
          project: '',
          targetName: 'magic',
          requirements: { labels: { is: bot }, memoryMib: 0, diskMib: 0, otherThanBotId: '' },
        },
        count: 1,
      });

    const afl = begin('afl');
    await fuzz('aflplusplus', await buildForAfl('magic.c', ['-fsanitize=fuzzer']), 'afl');
    const queue = 'runs/*/engine/out/main/queue';
    await eventually(async () => globSync(`${queue}/*`, { cwd: afl }).length > 0 || undefined);

    const libfuzzer = begin('libfuzzer');
    await fuzz('libfuzzer', await buildProgram('magic.c', ['-fsanitize=fuzzer']), 'libfuzzer');
    // What only libFuzzer can find is in AFL++'s queue, named as an import.
    await eventually(
      async () => globSync(`${queue}/*,sync:foreign*`, { cwd: afl }).length > 0 || undefined,
    );
    const brought = () => globSync(`runs/*/corpus/${'?'.repeat(64)}`, { cwd: libfuzzer });
    await eventually(async () => brought().length > 0 || undefined);
    const stats = unary(connection.corpora, connection.corpora.getCorpusStats, {
      project: '',
      targetName: 'magic',
    });
    expect((await stats).entries).toBeGreaterThan(1);
  },
);
