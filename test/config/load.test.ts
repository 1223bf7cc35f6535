import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { loadMasterConfig } from '../../src/config/load.js';
import { settings } from '../../src/config/schema.js';
import { settingPaths } from '../../src/config/settings.js';

const folder = mkdtempSync(join(tmpdir(), 'pandafuzz-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

function written(yaml: string): string {
  const file = join(folder, 'master.yaml');
  writeFileSync(file, yaml);
  return file;
}

const mail = (settings: string) => `notifications: {emails: [{from: f@b.test, ${settings}}]}`;
const hooks = (...list: string[]) => `notifications: {webhooks: [${list.join(', ')}]}`;

describe('master.yaml', () => {
  test('says of every key what the default is', () => {
    expect(loadMasterConfig({ file: 'master.yaml' })).toEqual(loadMasterConfig({}));
  });

  test('lists every key there is', () => {
    const text = readFileSync('master.yaml', 'utf8');
    // The alias is there as a comment: of two names of one setting one is enough.
    const tree = parse(text.replace('# database_retries: ', 'database_retries: ')) as Record<
      string,
      object
    >;
    const listed = Object.entries(tree).flatMap(([section, keys]) =>
      Object.keys(keys).map((key) => [section, key]),
    );
    expect(listed).toEqual(settingPaths({ keys: settings }));
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

  test('has values of the environment as they are, whatever YAML would make of them', () => {
    const directories = ['d #1', '@fuzz', '20261127', '0x10', 'null', '~', '{a}', 'a: b', '*x'];
    for (const directory of directories) {
      const environment = { PANDAFUZZ_DATA_DIRECTORY: directory };
      expect(loadMasterConfig({ environment }).data.directory).toBe(directory);
    }
    const environment = { PANDAFUZZ_GRPC_ADDRESS: '[::1]:50061' };
    expect(loadMasterConfig({ environment }).grpc.address).toEqual({ host: '::1', port: 50061 });
  });

  test('has numbers, lists and maps of the environment as such', () => {
    const config = loadMasterConfig({
      environment: {
        PANDAFUZZ_DATABASE_READERS: '4',
        PANDAFUZZ_DATABASE_RETRY_MULTIPLIER: '1.5',
        PANDAFUZZ_JOBS_ENGINES: '[libfuzzer, other]',
        PANDAFUZZ_TIMEOUTS_METHODS: '{JobService/ListJobs: "2s"}',
      },
    });
    expect(config.database).toMatchObject({ readers: 4, retry_multiplier: 1.5 });
    expect(config.jobs.engines).toEqual(['libfuzzer', 'other']);
    expect(config.timeouts.methods).toEqual({ 'JobService/ListJobs': 2000 });
  });

  test.each([
    [
      'PANDAFUZZ_DATABASE_READERS',
      'many',
      /readers \(PANDAFUZZ_DATABASE_READERS\): must be a whole/,
    ],
    ['PANDAFUZZ_DATABASE_READERS', '', /must be a whole number/],
    ['PANDAFUZZ_JOBS_ENGINES', '[', /^configuration .*PANDAFUZZ_JOBS_ENGINES: must be YAML$/],
    ['PANDAFUZZ_PORT', '50051', /PANDAFUZZ_PORT: no such setting/],
    ['PANDAFUZZ_TLS_CERT', 'a.crt', /tls\.key: must be a file where tls\.cert/],
    ['PANDAFUZZ_TLS_KEY', 'a.key', /tls\.cert: must be a file where tls\.key/],
    ['PANDAFUZZ_LIMITS_MAX_CAMPAIGNS', '10001', /must be a whole number from 1 to 10000/],
    ['PANDAFUZZ_LIMITS_MAX_UPLOAD_PER_DAY', '1', /max_upload_per_day .*: must be a size/],
    ['PANDAFUZZ_SECRETS_OLD_KEY_FILES', 'a.key', /old_key_files .*: must be a list of files/],
    ['PANDAFUZZ_TLS_CLIENT_CA', 'ca.crt', /tls\.client_ca .*: needs tls\.cert and tls\.key/],
  ])('names the variable %s of the value %j', (name, value, complaint) => {
    expect(() => loadMasterConfig({ environment: { [name]: value } })).toThrow(complaint);
  });

  test('passes over the variables that Kubernetes adds for a service of that name', () => {
    const environment = {
      PANDAFUZZ_PORT: 'tcp://10.0.0.7:50051',
      PANDAFUZZ_PORT_50051_TCP: 'tcp://10.0.0.7:50051',
      PANDAFUZZ_PORT_50051_TCP_ADDR: '10.0.0.7',
      PANDAFUZZ_SERVICE_HOST: '10.0.0.7',
      PANDAFUZZ_SERVICE_PORT: '50051',
      PANDAFUZZ_SERVICE_PORT_GRPC: '50051',
      PANDAFUZZ_MASTER_PORT: 'tcp://10.0.0.8:50051',
      PANDAFUZZ_MASTER_SERVICE_HOST: '10.0.0.8',
      PANDAFUZZ_MASTER: '10.0.0.8:50051',
    };
    expect(loadMasterConfig({ environment })).toEqual(loadMasterConfig({}));
  });

  test.each([
    ['neither', '{}', 5],
    ['database.max_retries', 'database: {max_retries: 2}', 2],
    ['timeouts.database_retries', 'timeouts: {database_retries: 3}', 3],
    ['both alike', 'database: {max_retries: 0}\ntimeouts: {database_retries: 0}', 0],
  ])('has one number of retries: %s', (_, yaml, retries) => {
    const config = loadMasterConfig({ file: written(yaml) });
    expect(config.database.max_retries).toBe(retries);
    expect(config.timeouts).not.toHaveProperty('database_retries');
  });

  test('that gives both names of the retries different values is refused', () => {
    const file = written('database: {max_retries: 2}\ntimeouts: {database_retries: 3}');
    expect(() => loadMasterConfig({ file })).toThrow(
      'timeouts.database_retries (line 2): is another name of database.max_retries: 3 here and 2 there',
    );
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
        ...{ kind: 'json', url: 'https://Hooks.test:8080/x', projects: [] },
        name: 'hooks.test:8080',
        secret: 'a secret in a file',
        events: expect.any(Array),
      },
      {
        ...{ kind: 'json', url: 'http://h', projects: [] },
        name: 'b',
        secret: '0123456789abcdef',
        events: ['crash_group.fixed'],
      },
    ]);
    expect(webhooks[0]?.events).toHaveLength(8);
  });

  test('has chats whose URL is in a file, and mail, whose password is in a variable', () => {
    const file = join(folder, 'url');
    writeFileSync(file, 'https://hooks.slack.test/services/T/B/X\n');
    process.env['SMTP_PASSWORD_OF_TESTS'] = 'a password';
    const { webhooks, emails } = loadMasterConfig({
      environment: {
        PANDAFUZZ_NOTIFICATIONS_WEBHOOKS: `[{kind: slack, url_file: "${file}", projects: [a, b], project: a}]`,
        PANDAFUZZ_NOTIFICATIONS_EMAILS:
          '[{to: a@b.test, from: f@b.test, server: "smtp://mail.test", user: u, password_env: SMTP_PASSWORD_OF_TESTS}]',
      },
    }).notifications;
    expect(webhooks).toEqual([
      {
        ...{ kind: 'slack', url: 'https://hooks.slack.test/services/T/B/X', projects: ['a', 'b'] },
        ...{ name: 'hooks.slack.test', events: expect.any(Array) },
      },
    ]);
    expect(emails[0]).toMatchObject({
      ...{ name: 'mail.test', to: ['a@b.test'], login: { user: 'u', password: 'a password' } },
      server: { host: 'mail.test', port: 587, isSecure: false, tls: 'required' },
    });
  });

  test.each([
    '[{url: "http://h", secret: "the secret itself"',
    '[{url: "http://h", secret: "the secret itself", name: "no name"}]',
    '[{url: "http://the secret itself", secret: "0123456789abcdef"}]',
  ])('shows no secret where it is refused: %s', (list) => {
    const load = () =>
      loadMasterConfig({ environment: { PANDAFUZZ_NOTIFICATIONS_WEBHOOKS: list } });
    expect(load).toThrow(/WEBHOOKS: must be YAML|webhooks.0.*: must be/);
    expect(load).not.toThrow(/the secret itself/);
  });

  test('cannot be changed once it is read', () => {
    const config = loadMasterConfig({});
    expect(() => Object.assign(config.leases, { ttl: 1 })).toThrow(TypeError);
  });

  test.each([
    ['leases: {tll: "1m"}', 'leases.tll (line 1): no such key; did you mean ttl?'],
    ['leeses: {}', 'leeses (line 1): no such key; did you mean leases?'],
    [
      'leases: {ttl: "soon"}',
      'leases.ttl (line 1): must be a duration such as "10s", from 1s to 24h',
    ],
    ['leases: {ttl: 30}', 'leases.ttl (line 1): must be a duration such as "10s"'],
    [
      'leases: {ttl: "6s"}',
      'leases.ttl (line 1): must be at least twice leases.heartbeat_interval',
    ],
    [
      'grpc: {address: "50051"}',
      'grpc.address (line 1): must be an address such as "127.0.0.1:50051"',
    ],
    ['grpc: {address: "127.0.0.1:70000"}', 'grpc.address (line 1): must be an address'],
    [
      'limits: {max_artifact: "1GB"}',
      'limits.max_artifact (line 1): must be a size such as "64MiB"',
    ],
    [
      'database: {max_retries: -1}',
      'database.max_retries (line 1): must be a whole number from 0 to 1000',
    ],
    ['database: {retry_delay: "0ms"}', 'database.retry_delay (line 1): must be a duration'],
    ['crashes: {passed_over: {x: {function: [f]}}}', 'crashes.passed_over.x.function (line 1)'],
    [
      'database: {retry_multiplier: 0.5}',
      'database.retry_multiplier (line 1): must be a number from 1 to 100',
    ],
    [
      'database: {retry_delay: "2s"}',
      'database.max_retry_delay (line 1): must not be shorter than',
    ],
    ['database: {synchronous: off}', 'database.synchronous (line 1): must be one of: full, normal'],
    ['jobs: {engines: []}', 'jobs.engines (line 1): must name at least one engine'],
    ['notifications: {webhooks: {}}', 'notifications.webhooks (line 1): must be a list'],
    [
      hooks('{url: "ftp://h", secret: "0123456789abcdef"}'),
      'webhooks.0.url (line 1): must be a URL',
    ],
    [
      hooks('{url: "http://h", secret: short}'),
      'webhooks.0.secret (line 1): must have at least 16',
    ],
    [hooks('{url: "http://h"}'), 'webhooks.0 (line 1): must have either a secret or a secret_file'],
    [
      hooks('{url: "http://h", secret_file: /nowhere/secret}'),
      'webhooks.0.secret_file (line 1): cannot be read (ENOENT)',
    ],
    [
      hooks('{url: "http://h", sercet: x}'),
      'notifications.webhooks.0.sercet (line 1): no such key',
    ],
    [
      hooks('{url: "http://h", secret: "0123456789abcdef", events: [job.created]}'),
      'webhooks.0.events.0 (line 1): must be some of: crash_group.new',
    ],
    [
      hooks(...['a', 'b'].map((path) => `{url: "http://h/${path}", secret: "0123456789abcdef"}`)),
      'notifications.webhooks (line 1): must have different names',
    ],
    [
      hooks('{kind: slack, url: "http://h", secret: "0123456789abcdef"}'),
      'has no secret where kind',
    ],
    [hooks('{kind: slack, url_env: PF_NONE_SUCH}'), 'webhooks.0.url_env (line 1): is not set'],
    [
      hooks('{kind: fax, url: "http://h"}'),
      'webhooks.0.kind (line 1): must be one of: json, slack',
    ],
    [
      mail('to: "a@b.test\\nBcc: c@d.test", server: "smtp://h"'),
      'emails.0.to (line 1): must be an',
    ],
    [
      mail('to: a@b.test, server: "http://h"'),
      'emails.0.server (line 1): must be a server such as',
    ],
    [mail('to: a@b.test, server: "smtp://u:p@h"'), 'emails.0.server (line 1): has no user in it'],
    [mail('to: a@b.test, server: "smtp://h", user: u'), 'must have a user and one of password'],
    [
      mail('to: a@b.test, server: "smtp://h", user: u, password: p, tls: offered'),
      'emails.0.tls (line 1): must be required where a password goes',
    ],
    ['- a list', 'must be keys and values'],
    ['log: [', 'cannot be read'],
    ['log: {level: *none}', 'cannot be read'],
    ['leases:\n  # how long\n  ttl: 30', 'leases.ttl (line 3): must be a duration'],
    [
      'grpc:\n  address: @here',
      'cannot be read: Plain value cannot start with reserved character @ at line 2',
    ],
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
    expect(load).toThrow(
      /log\.level \(line 1\): must be one of.*log\.format \(line 1\): must be one of/,
    );
  });

  test('that is not there is named', () => {
    expect(() => loadMasterConfig({ file: '/nowhere/master.yaml' })).toThrow(
      /cannot be read: \/nowhere\/master.yaml does not exist/,
    );
  });
});
