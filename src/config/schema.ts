import { z } from 'zod';
import { logFormats, logLevels } from '../core/log.js';
import { projectName } from '../core/project.js';
import { mostDestinations } from './destinations.js';
import { emails } from './emails.js';
import { oidc } from './oidc.js';
import { addressWord } from './quantities.js';
import type { Settings } from './settings.js';
import { tls } from './tls.js';
import { address, duration, size } from './units.js';
import { webhooks } from './webhooks.js';

/**
 * Every setting of the master with its default. master.yaml lists the same keys
 * with the same defaults and one comment each; a test compares the two.
 * Durations are read into milliseconds and sizes into bytes.
 */
const whole = (min: number, max: number) =>
  z
    .int({ error: `must be a whole number from ${min} to ${max}` })
    .min(min, `must be a whole number from ${min} to ${max}`)
    .max(max, `must be a whole number from ${min} to ${max}`);

const oneOf = <const Values extends readonly string[]>(values: Values) =>
  z.enum(values, { error: `must be one of: ${values.join(', ')}` });

const text = (what: string) => z.string({ error: `must be ${what}` }).min(1, `must be ${what}`);

const grpc = z.strictObject({
  address: address.prefault('127.0.0.1:50051'),
  max_message: size({ min: '320KiB', max: '4MiB' }).prefault('512KiB'),
  fast_path: oneOf(['auto', 'off']).default('auto'),
});

const http = z.strictObject({
  address: address.prefault('127.0.0.1:50052'),
});

const auth = z.strictObject({
  mode: oneOf(['auto', 'on', 'off']).default('auto'),
  allow_insecure_network: z.boolean({ error: 'must be true or false' }).default(false),
  session_idle: duration({ min: '1m', max: '30d' }).prefault('12h'),
  session_lifetime: duration({ min: '1m', max: '90d' }).prefault('7d'),
});

const secrets = z.strictObject({
  key: z.string({ error: 'must be a key' }).default(''),
  key_file: z.string({ error: 'must be a file' }).default(''),
  old_key_files: z
    .array(text('a file'), { error: 'must be a list of files' })
    .max(16, 'must be at most 16')
    .default([]),
});

const data = z.strictObject({
  directory: text('a folder').default('./data'),
});

const database = z
  .strictObject({
    url: z
      .string({ error: 'must be a URL such as "postgres://user@host/database", or empty' })
      .regex(/^(postgres(ql)?:\/\/.+)?$/, {
        error: 'must be a URL such as "postgres://user@host/database", or empty for SQLite',
      })
      .default(''),
    synchronous: oneOf(['full', 'normal']).default('full'),
    readers: whole(1, 64).default(2),
    checkpoint_interval: duration({ min: '10ms', max: '1h' }).prefault('1s'),
    probe_interval: duration({ min: '50ms', max: '1h' }).prefault('5s'),
    max_queued_writes: whole(1, 1_000_000).default(10_000),
    max_queued_reads: whole(1, 1_000_000).default(1000),
    /** Filled in below, as timeouts.database_retries means the same. */
    max_retries: whole(0, 1000).optional(),
    retry_delay: duration({ min: '1ms', max: '1m' }).prefault('10ms'),
    max_retry_delay: duration({ min: '1ms', max: '10m' }).prefault('1s'),
    retry_multiplier: z
      .number({ error: 'must be a number from 1 to 100' })
      .min(1, 'must be a number from 1 to 100')
      .max(100, 'must be a number from 1 to 100')
      .default(2),
  })
  .refine((d) => d.max_retry_delay >= d.retry_delay, {
    path: ['max_retry_delay'],
    error: 'must not be shorter than database.retry_delay',
  });

const blobs = z.strictObject({
  url: z
    .string({ error: 'must be a URL such as "s3://bucket/prefix", or empty' })
    .regex(/^(s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/[A-Za-z0-9!_.*'()-]+)*\/?)?$/, {
      error: 'must be a URL such as "s3://bucket/prefix", or empty for a folder in data.directory',
    })
    .default(''),
  endpoint: z
    .union([z.literal(''), z.url({ protocol: /^https?$/ })], {
      error: 'must be a URL such as "https://s3.example.org", or empty for Amazon S3',
    })
    .default(''),
  region: z
    .string({ error: 'must be a region such as "eu-central-1", or empty' })
    .regex(/^[a-z0-9-]{0,63}$/, { error: 'must be a region such as "eu-central-1", or empty' })
    .default(''),
  path_style: oneOf(['auto', 'on', 'off']).default('auto'),
  timeout: duration({ min: '100ms', max: '10m' }).prefault('15s'),
  max_retries: whole(0, 100).default(4),
});

const cluster = z.strictObject({
  address: z
    .string({ error: 'must be HOST:PORT, or empty' })
    .refine((text) => text === '' || addressWord.read(text) !== undefined, {
      error: `must be ${addressWord.expected}, or empty`,
    })
    .default(''),
  ttl: duration({ min: '1s', max: '5m' }).prefault('10s'),
  allow_lost_writes: z.boolean({ error: 'must be true or false' }).default(false),
});

const timeouts = z.strictObject({
  database_op: duration({ min: '1ms', max: '24h' }).prefault('10s'),
  /** Alias of database.max_retries. */
  database_retries: whole(0, 1000).optional(),
  stalled_transfer: duration({ min: '1s', max: '1h' }).prefault('60s'),
  transfer: duration({ min: '1s', max: '24h' }).prefault('10m'),
  methods: z
    .record(
      z.string().regex(/^[A-Za-z]+\/[A-Za-z]+$/, 'must be named as "JobService/ListJobs"'),
      duration({ min: '1ms', max: '24h' }),
    )
    .prefault({}),
  stalled_stream: duration({ min: '10ms', max: '1h' }).prefault('30s'),
  request: duration({ min: '100ms', max: '1h' }).prefault('10s'),
  idle_connection: duration({ min: '1s', max: '24h' }).prefault('5m'),
  shutdown: duration({ min: '100ms', max: '5m' }).prefault('5s'),
});

const leases = z
  .strictObject({
    ttl: duration({ min: '1s', max: '24h' }).prefault('30s'),
    heartbeat_interval: duration({ min: '100ms', max: '1h' }).prefault('5s'),
    offer_timeout: duration({ min: '100ms', max: '1h' }).prefault('10s'),
    flush_interval: duration({ min: '10ms', max: '10m' }).prefault('1m'),
  })
  .refine((l) => l.ttl >= 2 * l.heartbeat_interval, {
    path: ['ttl'],
    error: 'must be at least twice leases.heartbeat_interval, or one lost beat loses a lease',
  });

const jobs = z.strictObject({
  engines: z
    .array(z.string().regex(/^[a-z0-9_-]{1,32}$/, 'must be names such as "libfuzzer"'), {
      error: 'must be a list of engine names',
    })
    .min(1, 'must name at least one engine')
    .default(['libfuzzer', 'aflplusplus', 'honggfuzz', 'gofuzz', 'jazzerjs', 'command']),
  max_attempts: whole(1, 100).default(3),
  retry_delay: duration({ min: '0ms', max: '24h' }).prefault('10s'),
  max_retry_delay: duration({ min: '0ms', max: '24h' }).prefault('10m'),
  max_duration: duration({ min: '1s', max: '30d' }).prefault('1h'),
  max_memory: size({ min: '16MiB', max: '1TiB' }).prefault('2GiB'),
  max_disk: size({ min: '16MiB', max: '1024TiB' }).prefault('4GiB'),
  max_processes: whole(16, 1_000_000).default(512),
  input_timeout: duration({ min: '1s', max: '1h' }).prefault('25s'),
  max_input: size({ min: '0B', max: '1MiB' }).prefault('0B'),
});

const texts = z.array(text('a text')).max(1000, 'must be at most 1000').default([]);

const onOrOff = oneOf(['on', 'off']);

const crashes = z.strictObject({
  reproduce: onOrOff.default('on'),
  runs: whole(1, 1000).default(5),
  minimise: onOrOff.default('off'),
  minimise_time: duration({ min: '1s', max: '24h' }).prefault('1m'),
  verify: onOrOff.default('on'),
  max_jobs: whole(1, 1000).default(20),
  passed_over: z
    .record(
      z.string().regex(projectName, 'must be the name of a project'),
      z.strictObject({ functions: texts, files: texts, modules: texts }),
    )
    .prefault({}),
});

const corpus = z.strictObject({
  merge: oneOf(['off', 'daily', 'growth', 'both']).default('both'),
  merge_time: duration({ min: '1s', max: '24h' }).prefault('1h'),
  coverage: oneOf(['off', 'daily']).default('daily'),
  coverage_time: duration({ min: '1s', max: '24h' }).prefault('1h'),
  max_inputs: whole(1, 100_000_000).default(200_000),
  max_bytes: size({ min: '1KiB', max: '1024TiB' }).prefault('2GiB'),
  max_project_bytes: size({ min: '1KiB', max: '1024TiB' }).prefault('1TiB'),
});

const limits = z.strictObject({
  max_artifact: size({ min: '1KiB', max: '1TiB' }).prefault('1GiB'),
  max_unfinished: size({ min: '0B', max: '1TiB' }).prefault('4GiB'),
  max_crash_input: size({ min: '1KiB', max: '1GiB' }).prefault('64MiB'),
  max_crashes_per_job: whole(1, 1_000_000).default(10_000),
  max_crash_bytes_per_job: size({ min: '1KiB', max: '1TiB' }).prefault('4GiB'),
  min_disk_free: size({ min: '0B', max: '1024TiB' }).prefault('64MiB'),
  max_calls: whole(1, 1_000_000).default(1000),
  max_transfers: whole(1, 1_000_000).default(256),
  max_waits: whole(1, 1_000_000).default(10_000),
  max_watches: whole(1, 1_000_000).default(10_000),
  max_unfinished_requests: whole(4, 1_000_000).default(4000),
  max_unsent: size({ min: '8MiB', max: '1TiB' }).prefault('128MiB'),
  max_streams: whole(1, 1_000_000).default(100_000),
  max_audit_entries: whole(1000, 10_000_000).default(500_000),
  max_connections_per_address: whole(1, 1_000_000).default(50_000),
  max_calls_per_connection: whole(1, 1_000_000).default(10_000),
  max_messages_per_second: whole(1, 1_000_000).default(10_000),
  max_upload_per_day: size({ min: '1KiB', max: '1024TiB' }).prefault('10TiB'),
  max_bots: whole(1, 1_000_000).default(100_000),
  max_artifacts: whole(1, 10_000_000).default(200_000),
  max_campaigns: whole(1, 10_000).default(10_000),
});

const retention = z.strictObject({
  jobs: duration({ min: '1m', max: '3650d' }).prefault('90d'),
  events: duration({ min: '1m', max: '3650d' }).prefault('30d'),
  samples: duration({ min: '1m', max: '3650d' }).prefault('365d'),
  audit: duration({ min: '1d', max: '3650d' }).prefault('365d'),
  bots: duration({ min: '1h', max: '3650d' }).prefault('30d'),
  artifacts: duration({ min: '1h', max: '3650d' }).prefault('7d'),
  blobs: duration({ min: '1m', max: '365d' }).prefault('1d'),
  sample_interval: duration({ min: '1s', max: '24h' }).prefault('10s'),
  sweep_interval: duration({ min: '100ms', max: '24h' }).prefault('1m'),
});

const notifications = z
  .strictObject({
    webhooks,
    emails,
    timeout: duration({ min: '100ms', max: '5m' }).prefault('10s'),
    give_up_after: duration({ min: '1s', max: '30d' }).prefault('24h'),
    bot_lost_after: duration({ min: '1s', max: '7d' }).prefault('5m'),
    stuck_after: duration({ min: '1s', max: '7d' }).prefault('10m'),
  })
  .refine(
    ({ webhooks: posted, emails: mailed }) => {
      const names = [...posted, ...mailed].map(({ name }) => name);
      return names.length <= mostDestinations && new Set(names).size === names.length;
    },
    {
      path: ['emails'],
      error: `must have different names, webhooks included, and be ${mostDestinations} together at most`,
    },
  );

const tracing = z.strictObject({
  otlp_endpoint: z
    .union([z.literal(''), z.url({ protocol: /^https?$/ })], {
      error: 'must be a URL such as "http://127.0.0.1:4318/v1/traces", or empty for no tracing',
    })
    .default(''),
});

const log = z.strictObject({
  level: oneOf(logLevels).default('info'),
  format: oneOf(logFormats).default('auto'),
});

export const settings = z.strictObject({
  grpc: grpc.prefault({}),
  http: http.prefault({}),
  tls: tls.prefault({}),
  auth: auth.prefault({}),
  oidc: oidc.prefault({}),
  secrets: secrets.prefault({}),
  data: data.prefault({}),
  database: database.prefault({}),
  blobs: blobs.prefault({}),
  cluster: cluster.prefault({}),
  timeouts: timeouts.prefault({}),
  leases: leases.prefault({}),
  jobs: jobs.prefault({}),
  crashes: crashes.prefault({}),
  corpus: corpus.prefault({}),
  limits: limits.prefault({}),
  retention: retention.prefault({}),
  notifications: notifications.prefault({}),
  tracing: tracing.prefault({}),
  log: log.prefault({}),
});

function clusterProblem(
  { address }: z.output<typeof cluster>,
  { url, synchronous }: z.output<typeof database>,
): string | undefined {
  if (address === '') return undefined;
  if (url === '') return 'needs database.url: masters share a database of PostgreSQL';
  if (synchronous === 'full') return undefined;
  return 'needs database.synchronous: full, or a crash of the server hands jobs out twice';
}

/** Tries after the first, where neither name of the setting is given. */
const usualRetries = 5;

/** The settings with one number of retries, under `database.max_retries`. */
export const masterSchema = settings.transform(({ database, timeouts, ...rest }, ctx) => {
  const { database_retries: alias, ...times } = timeouts;
  const { max_retries: given } = database;
  if (given !== undefined && alias !== undefined && given !== alias) {
    ctx.addIssue({
      code: 'custom',
      path: ['timeouts', 'database_retries'],
      message: `is another name of database.max_retries: ${alias} here and ${given} there contradict each other; keep one`,
    });
    return z.NEVER;
  }
  const problem = clusterProblem(rest.cluster, database);
  if (problem) {
    ctx.addIssue({ code: 'custom', path: ['cluster', 'address'], message: problem });
    return z.NEVER;
  }
  const retries = given ?? alias ?? usualRetries;
  return { ...rest, database: { ...database, max_retries: retries }, timeouts: times };
});

/** Durations in milliseconds, sizes in bytes. */
export type MasterConfig = z.output<typeof masterSchema>;

/** Variables of other parts of PandaFuzz: of commands, and of bots. */
const otherVariables = new Set([
  'PANDAFUZZ_CA',
  'PANDAFUZZ_CERT',
  'PANDAFUZZ_ISOLATION',
  'PANDAFUZZ_KEY',
  'PANDAFUZZ_MASTER',
  'PANDAFUZZ_NOHUP',
  'PANDAFUZZ_PROJECT',
  'PANDAFUZZ_TOKEN',
  'PANDAFUZZ_TOKEN_FILE',
]);

export const masterSettings: Settings<MasterConfig> = {
  keys: settings,
  schema: masterSchema,
  prefix: 'PANDAFUZZ_',
  aliases: {},
  isForOthers: (name) => otherVariables.has(name) || name.startsWith('PANDAFUZZ_BOT_'),
  listedIn: 'master.yaml',
};
