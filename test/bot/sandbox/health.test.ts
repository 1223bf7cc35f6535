import { chmodSync, readdirSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { Health } from '../../../src/bot/sandbox/health.js';
import { silentLog } from '../../../src/core/log.js';
import { atEnd, temporaryFolder } from '../../harness.js';
import { eventually } from '../../steps.js';
import { VirtualClock } from '../../virtual-clock.js';
import { noexecFolder, remountExec } from '../noexec.js';

async function observed(folder: string, roomProblem: () => string = () => '') {
  const clock = new VirtualClock();
  const changes: boolean[] = [];
  const health: Health = await Health.observe({
    folder,
    warnings: ['no symbolizer'],
    roomProblem,
    onChanged: () => changes.push(true),
    log: silentLog,
    clock,
  });
  atEnd(() => health.stop());
  return { health, clock, changes };
}

test('a folder in which programs run is well, and nothing is left in it', async () => {
  const folder = temporaryFolder();
  const { health } = await observed(folder);
  expect(health.isWell).toBe(true);
  expect(health.report).toEqual({ problem: '', warnings: ['no symbolizer'] });
  expect(readdirSync(folder)).toEqual([]);
});

test('a bot without room is not well, and is again when there is some', async () => {
  let room = 'no room';
  const { health } = await observed(temporaryFolder(), () => room);
  expect(health.report.problem).toBe('no room');
  room = '';
  expect(health.isWell).toBe(true);
});

test('a folder that is gone is named, with the reason in one line', async () => {
  const { health } = await observed('/proc/no/such/folder');
  expect(health.isWell).toBe(false);
  expect(health.report.problem).toMatch(/^no program can be run in \/proc\/no\/such\/folder: /);
});

test('a noexec folder is named with its remedy, and heals by itself', async () => {
  const folder = noexecFolder();
  if (folder === undefined) return;
  chmodSync(folder, 0o755);
  const { health, clock, changes } = await observed(folder);
  expect(health.isWell).toBe(false);
  expect(health.report.problem).toBe(
    `no program can be run in ${folder} (EACCES): mount it without "noexec", or give the bot another --work-dir`,
  );
  expect(changes).toHaveLength(1);
  remountExec(folder);
  clock.advance(2000);
  await eventually(async () => health.isWell || undefined);
  expect(health.report.problem).toBe('');
  expect(readdirSync(folder)).toEqual([]);
});
