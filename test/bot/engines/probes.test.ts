import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { drivers, findEngines } from '../../../src/bot/engines/found.js';
import { silentLog } from '../../../src/core/log.js';
import { JobKind } from '../../../src/gen/pandafuzz/v1/job.js';
import { temporaryFolder } from '../../harness.js';
import { testWith } from '../../languages/tools.js';
import { aflPlusPlus } from '../programs/build.js';

/** A folder with programs that are shell scripts. */
function programs(scripts: Record<string, string>): string {
  const folder = temporaryFolder();
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  return folder;
}

const find = (path: string) => findEngines({ symbolizer: undefined, path }, silentLog);
const answerOf = async (path: string) => {
  const driver = drivers.find(({ name }) => name === 'aflplusplus');
  return driver?.probe({ symbolizer: undefined, path });
};

describe('the engines of a machine', () => {
  test('are those at least that targets bring with them', async () => {
    expect([...(await find('')).keys()]).toEqual(['libfuzzer', 'gofuzz', 'command']);
  });

  testWith(aflPlusPlus, 'are AFL++ as well, with its version, where it is installed', async () => {
    const found = (await find(process.env['PATH'] ?? '')).get('aflplusplus');
    expect(found?.version).toMatch(/^\d+\.\d+/);
    expect(found?.engine.kinds).toContain(JobKind.MINIMISE);
    expect(found?.note).toBe('');
  });

  test('say what an incomplete installation cannot do', async () => {
    const found = (await find(programs({ 'afl-fuzz': 'echo afl-fuzz++4.99a' }))).get('aflplusplus');
    expect(found).toMatchObject({
      version: '4.99a',
      note: 'missing beside afl-fuzz: afl-tmin, afl-cmin, afl-showmap',
    });
    expect(found?.engine.kinds.has(JobKind.MINIMISE)).toBe(false);
    expect(found?.engine.minimise).toBeUndefined();
  });

  test('do not include what cannot be run, or is something else', async () => {
    const broken = programs({ 'afl-fuzz': 'echo "no such library" >&2; exit 127' });
    expect(await answerOf(broken)).toMatchObject({
      missing: expect.stringMatching(/it printed: no such library$/),
    });
    expect(await answerOf('')).toMatchObject({ missing: expect.stringMatching(/Debian: afl\+\+/) });
  });
});
