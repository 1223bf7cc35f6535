import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { loadMasterConfig, settingPaths } from '../../src/config/load.js';

const folder = mkdtempSync(join(tmpdir(), 'pandafuzz-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

function written(yaml: string): string {
  const file = join(folder, 'master.yaml');
  writeFileSync(file, yaml);
  return file;
}

const hooks = (...list: string[]) => `notifications: {webhooks: [${list.join(', ')}]}`;

describe('master.yaml', () => {
  test('says of every key what the default is', () => {
    expect(loadMasterConfig({ file: 'master.yaml' })).toEqual({
      ...loadMasterConfig({}),
      database: { ...loadMasterConfig({}).database, max_retries: 5 },
    });
  });

  test('lists every key there is', () => {
    const tree = parse(readFileSync('master.yaml', 'utf8')) as Record<string, object>;
    const listed = Object.entries(tree).flatMap(([section, keys]) =>
      Object.keys(keys).map((key) => [section, key]),
    );
    expect(listed).toEqual(settingPaths());
  });

  test('gives every key a comment of its own', () => {
    const lines = readFileSync('master.yaml', 'utf8').split('\n');
    const bare = lines.filter(
      (line, i) => /^ {2}\w+:/.test(line) && !/^ {2}#/.test(lines[i - 1] ?? ''),
    );
    expect(bare).toEqual([]);
  });
});

describe('a configuration', () => {
  test('may come from the environment, over the file', () => {
    const config = loadMasterConfig({
      file: written('leases: {ttl: "1m"}\nlog: {level: warn}'),
      environment: { PANDAFUZZ_LEASES_TTL: '90s', HOME: '/root' },
    });
    expect([config.leases.ttl, config.log.level]).toEqual([90_000, 'warn']);
  });

  test('has webhooks, whose secrets may be in files and whose names are hosts', () => {
    const file = join(folder, 'secret');
    writeFileSync(file, 'a secret in a file\r\n');
    const list = `[{url: "https://Hooks.test:8080/x", secret_file: "${file}"},
      {url: "http://h", secret: "0123456789abcdef", name: b, events: [crash_group.fixed]}]`;
    const environment = { PANDAFUZZ_NOTIFICATIONS_WEBHOOKS: list };
    const { webhooks } = loadMasterConfig({ environment }).notifications;
    expect(webhooks).toEqual([
      {
        ...{ url: 'https://Hooks.test:8080/x', name: 'hooks.test:8080' },
        ...{ secret: 'a secret in a file', events: expect.any(Array) },
      },
      {
        ...{ url: 'http://h', name: 'b', secret: '0123456789abcdef' },
        events: ['crash_group.fixed'],
      },
    ]);
    expect(webhooks[0]?.events).toHaveLength(3);
  });

  test.each([
    '[{url: "http://h", secret: "the secret itself"',
    '[{url: "http://h", secret: "the secret itself", name: "no name"}]',
    '[{url: "http://the secret itself", secret: "0123456789abcdef"}]',
  ])('shows no secret where it is refused: %s', (list) => {
    const load = () =>
      loadMasterConfig({ environment: { PANDAFUZZ_NOTIFICATIONS_WEBHOOKS: list } });
    expect(load).toThrow(/WEBHOOKS: cannot be read as YAML|webhooks.0.*: must be/);
    expect(load).not.toThrow(/the secret itself/);
  });

  test('cannot be changed once it is read', () => {
    const config = loadMasterConfig({});
    expect(() => Object.assign(config.leases, { ttl: 1 })).toThrow(TypeError);
  });

  test.each([
    ['leases: {tll: "1m"}', 'leases.tll: no such key; did you mean ttl?'],
    ['crashes: {passed_over: {x: {function: [f]}}}', 'crashes.passed_over.x.function'],
    ['leeses: {}', 'leeses: no such key; did you mean leases?'],
    ['leases: {ttl: "soon"}', 'leases.ttl: must be a duration such as "10s", from 1s to 24h'],
    ['leases: {ttl: 30}', 'leases.ttl: must be a duration such as "10s"'],
    ['leases: {ttl: "6s"}', 'leases.ttl: must be at least twice leases.heartbeat_interval'],
    ['grpc: {address: "50051"}', 'grpc.address: must be an address such as "127.0.0.1:50051"'],
    ['grpc: {address: "127.0.0.1:70000"}', 'grpc.address: must be an address'],
    ['limits: {max_artifact: "1GB"}', 'limits.max_artifact: must be a size such as "64MiB"'],
    ['database: {max_retries: -1}', 'database.max_retries: must be a whole number from 0 to 1000'],
    ['database: {retry_delay: "0ms"}', 'database.retry_delay: must be a duration'],
    [
      'database: {retry_multiplier: 0.5}',
      'database.retry_multiplier: must be a number from 1 to 100',
    ],
    ['database: {retry_delay: "2s"}', 'database.max_retry_delay: must not be shorter than'],
    ['database: {synchronous: off}', 'database.synchronous: must be one of: full, normal'],
    ['jobs: {engines: []}', 'jobs.engines: must name at least one engine'],
    ['notifications: {webhooks: {}}', 'notifications.webhooks: must be a list'],
    [hooks('{url: "ftp://h", secret: "0123456789abcdef"}'), 'webhooks.0.url: must be a URL'],
    [hooks('{url: "http://h", secret: short}'), 'webhooks.0.secret: must have at least 16'],
    [hooks('{url: "http://h"}'), 'webhooks.0: must have either a secret or a secret_file'],
    [
      hooks('{url: "http://h", secret_file: /nowhere/secret}'),
      'webhooks.0.secret_file: cannot be read (ENOENT)',
    ],
    [hooks('{url: "http://h", sercet: x}'), 'notifications.webhooks.0.sercet: no such key'],
    [
      hooks('{url: "http://h", secret: "0123456789abcdef", events: [job.created]}'),
      'webhooks.0.events.0: must be some of: crash_group.new',
    ],
    [
      hooks(...['a', 'b'].map((path) => `{url: "http://h/${path}", secret: "0123456789abcdef"}`)),
      'notifications.webhooks: must have different names',
    ],
    ['- a list', 'must be keys and values'],
    ['log: [', 'cannot be read'],
  ])('%s is refused by name', (yaml, complaint) => {
    expect(() => loadMasterConfig({ file: written(yaml) })).toThrow(complaint);
  });

  test('names every problem at once, those of the environment too', () => {
    const load = () =>
      loadMasterConfig({
        file: written('log: {level: loud, format: xml}'),
        environment: { PANDAFUZZ_LOG_LEVLE: 'info' },
      });
    expect(load).toThrow(/LOG_LEVLE: no such setting; did you mean PANDAFUZZ_LOG_LEVEL/);
    expect(load).toThrow(/log\.level: must be one of.*log\.format: must be one of/);
  });

  test('that is not there is named', () => {
    expect(() => loadMasterConfig({ file: '/nowhere/master.yaml' })).toThrow(
      /\/nowhere\/master.yaml\): cannot be read/,
    );
  });
});
