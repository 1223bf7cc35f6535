import { cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import { pandafuzz } from '../cli/run.js';
import { Process, place, reach } from '../processes.js';

/** A master, and bots of its own by name and work folder. */
async function fleet() {
  const where = await place();
  const master = new Process(['master'], where.environment);
  const { bots } = await reach(where.address);
  const folderOf = (folder: string) => join(where.directory, folder);
  const bot = (name: string, folder: string) =>
    new Process(['bot', '--name', name, '--work-dir', folderOf(folder), '--master', where.address]);
  const list = async () => (await pandafuzz(['bot', 'list', '--master', where.address])).out;
  const all = async () => (await unary(bots, bots.listBots, { pageSize: 0, pageToken: '' })).bots;
  return { master, bot, folderOf, list, all };
}

describe('two bots', () => {
  test('of one name are told apart, and both sides say so', async () => {
    const { master, bot, list, all } = await fleet();
    const first = bot('north', 'one');
    await first.says('master connected');
    const second = bot('north', 'two');
    await second.says('master connected');
    expect(second.said).toContain('another bot is named north: this one is north-2');
    expect(master.said).toContain('bot registered under another name');
    expect((await all()).map(({ name, state }) => [name, state])).toEqual([
      ['north-2', 1],
      ['north', 1],
    ]);
    expect(await list()).toContain('north-2 asked to be north');
    expect(first.said).not.toMatch(/bot refused|master away/);
  });

  test('in copies of one work folder never fight for the stream: the newer waits', async () => {
    const { master, bot, folderOf, list, all } = await fleet();
    const first = bot('north', 'one');
    await first.says('master connected');
    cpSync(folderOf('one'), folderOf('copy'), { recursive: true });
    const copy = bot('south', 'copy');
    await copy.says('"msg":"bot refused"');
    expect(copy.said).toContain('another process of this bot is live');
    expect(copy.said).toContain(`delete ${join(folderOf('copy'), 'identity')}`);
    await master.says('second bot refused');
    expect(await list()).toMatch(/north runs twice, or its work folder was copied/);
    expect((await all()).map(({ name }) => name)).toEqual(['north']);
    expect(first.said).not.toMatch(/bot refused|master away/);

    copy.end('SIGTERM');
    expect(await copy.exited).toEqual({ code: 0, signal: null });
    rmSync(join(folderOf('copy'), 'identity'));
    const other = bot('south', 'copy');
    await other.says('master connected');
    expect((await all()).map(({ name }) => name)).toEqual(['south', 'north']);
  });
});

test('a bot that was killed is itself again at once', async () => {
  const { bot, folderOf, all } = await fleet();
  const first = bot('north', 'one');
  await first.says('master connected');
  const identity = readFileSync(join(folderOf('one'), 'identity'), 'utf8');
  const [before] = await all();
  first.end('SIGKILL');
  await first.exited;
  const second = bot('north', 'one');
  await second.says('master connected');
  expect(readFileSync(join(folderOf('one'), 'identity'), 'utf8')).toBe(identity);
  expect((await all()).map(({ id, name }) => [id, name])).toEqual([[before?.id, 'north']]);
});
