import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { botCommand } from '../../src/cli/bot.js';
import { botSettings } from '../../src/config/bot-schema.js';
import { loadBotConfig, loadMasterConfig } from '../../src/config/load.js';
import { settingPaths } from '../../src/config/settings.js';
import { temporaryFolder } from '../harness.js';

const lines = readFileSync('bot.yaml', 'utf8').split('\n');

function written(yaml: string): string {
  const file = join(temporaryFolder(), 'bot.yaml');
  writeFileSync(file, yaml);
  return file;
}

describe('bot.yaml', () => {
  test('says of every key what the default is', () => {
    expect(loadBotConfig({ file: 'bot.yaml' })).toEqual(loadBotConfig({}));
  });

  test('lists every key there is, each with a comment of its own', () => {
    const listed = Object.keys(parse(lines.join('\n'))).map((key) => [key]);
    expect(listed).toEqual(settingPaths(botSettings));
    const bare = lines.filter((line, i) => /^\w+:/.test(line) && !lines[i - 1]?.startsWith('#'));
    expect(bare).toEqual([]);
  });

  test('has a key for every option of the command', () => {
    const keys = botCommand()
      .options.map((option) => option.attributeName())
      .filter((name) => name !== 'config')
      .map((name) => (name === 'label' ? 'labels' : name))
      .map((name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
    expect(keys.sort()).toEqual(settingPaths(botSettings).flat().sort());
  });
});

describe('the settings of a bot', () => {
  test('may come from the environment, over the file', () => {
    const config = loadBotConfig({
      file: written('slots: 3\nname: filed\nlabels: {zone: eu}'),
      environment: {
        PANDAFUZZ_BOT_NAME: 'varied',
        PANDAFUZZ_BOT_LABELS: '{disk: ssd, rack: 0x10}',
        PANDAFUZZ_BOT_CORPUS: 'off',
        HOME: '/root',
      },
    });
    expect(config).toMatchObject({ slots: 3, name: 'varied', corpus: 'off' });
    expect(config.labels).toEqual({ disk: 'ssd', rack: '0x10' });
  });

  test('take names, addresses and folders as they are written', () => {
    const master = [{ host: '::1', port: 50061 }];
    for (const name of ['20261127', '0x10', '007', 'true', '1e3']) {
      expect(loadBotConfig({ file: written(`name: ${name}`) }).name).toBe(name);
      expect(loadBotConfig({ environment: { PANDAFUZZ_BOT_NAME: name } }).name).toBe(name);
      const file = written(`labels: {rack: ${name}}`);
      expect(loadBotConfig({ file }).labels).toEqual({ rack: name });
    }
    for (const folder of ['d #1', '@fuzz', '20261127', '~', '{a}', 'a: b', '*x', '[x']) {
      const environment = { PANDAFUZZ_BOT_WORK_DIR: folder, PANDAFUZZ_BOT_MASTER: '[::1]:50061' };
      expect(loadBotConfig({ environment })).toMatchObject({ work_dir: folder, master });
      const file = written(`work_dir: ${JSON.stringify(folder)}\nmaster: "[::1]:50061"`);
      expect(loadBotConfig({ file })).toMatchObject({ work_dir: folder, master });
    }
  });

  test('take several addresses of a master, as a list or with commas', () => {
    const master = [
      { host: 'a', port: 1 },
      { host: '::1', port: 2 },
    ];
    expect(loadBotConfig({ file: written('master: ["a:1", "[::1]:2"]') })).toMatchObject({
      master,
    });
    const environment = { PANDAFUZZ_MASTER: 'a:1,[::1]:2' };
    expect(loadBotConfig({ environment })).toMatchObject({ master });
    expect(() => loadBotConfig({ file: written('master: ["a:1", "b"]') })).toThrow(
      /master \(line 1\): must be an address such as .* or several/,
    );
  });

  test('take the address of PANDAFUZZ_MASTER, unless there is one for bots', () => {
    const masterOf = (environment: Record<string, string>) =>
      loadBotConfig({ environment, file: written('master: "file:1"') }).master[0]?.host;
    const PANDAFUZZ_MASTER = 'all:1';
    expect(masterOf({})).toBe('file');
    expect(masterOf({ PANDAFUZZ_MASTER })).toBe('all');
    expect(masterOf({ PANDAFUZZ_BOT_MASTER: 'bots:1', PANDAFUZZ_MASTER })).toBe('bots');
    expect(() => masterOf({ PANDAFUZZ_MASTER: 'nowhere' })).toThrow(
      /master \(PANDAFUZZ_MASTER\): must be an address/,
    );
  });

  test.each([
    ['slot: 4', /slot \(line 1\): no such key; did you mean slots\?/],
    ['colour: red', /colour \(line 1\): no such key; bot.yaml lists them all/],
    ['slots: 1025', /slots \(line 1\): must be a whole number from 0 to 1024/],
    ['slots: many', /slots \(line 1\): must be a whole number from 0 to 1024/],
    ['name: ".."', /name \(line 1\): must be 1 to 128 letters/],
    ['\nlabels: {a: [1]}', /labels\.a \(line 2\): must be a text/],
    ['labels: {"a=b": c}', /without '='/],
    ['labels: red', /labels \(line 1\): must be a map of labels/],
    ['corpus: maybe', /corpus \(line 1\): must be one of: on, off/],
    ['corpus_interval: 5', /corpus_interval \(line 1\): must be a duration/],
    ['log_level: loud', /log_level \(line 1\): must be one of: trace/],
    ['- slots', /must be keys and values/],
  ])('that say %j are refused in words', (yaml, complaint) => {
    expect(() => loadBotConfig({ file: written(yaml) })).toThrow(complaint);
  });

  test('are refused for a variable that is none, and pass over those of services', () => {
    const misspelt = { PANDAFUZZ_BOT_SLOT: '4' };
    expect(() => loadBotConfig({ environment: misspelt })).toThrow(
      /PANDAFUZZ_BOT_SLOT: no such setting; did you mean PANDAFUZZ_BOT_SLOTS\?/,
    );
    const environment = {
      PANDAFUZZ_BOT_PORT: 'tcp://192.0.2.7:80',
      PANDAFUZZ_BOT_PORT_80_TCP_ADDR: '192.0.2.7',
      PANDAFUZZ_BOT_SERVICE_HOST: '192.0.2.7',
      PANDAFUZZ_BOT_MASTER_PORT: 'tcp://192.0.2.7:80',
      PANDAFUZZ_GRPC_ADDRESS: '[::]:50051',
    };
    expect(loadBotConfig({ environment })).toEqual(loadBotConfig({}));
  });

  test('are no concern of the master', () => {
    const environment = { PANDAFUZZ_BOT_SLOTS: '4', PANDAFUZZ_BOT_NAME: 'x' };
    expect(loadMasterConfig({ environment })).toEqual(loadMasterConfig({}));
  });
});
