import { createHash, randomBytes } from 'node:crypto';
import { unary } from '../../../src/client/call.js';
import { newId } from '../../../src/core/ids.js';
import { ArtifactKind } from '../../../src/gen/pandafuzz/v1/artifact.js';
import { UploadArtifactRequest } from '../../../src/gen/pandafuzz/v1/artifact_service.js';
import type { RegisterBotRequest } from '../../../src/gen/pandafuzz/v1/bot_service.js';
import { HeartbeatRequest } from '../../../src/gen/pandafuzz/v1/heartbeat.js';
import { JobSpec } from '../../../src/gen/pandafuzz/v1/job.js';
import { registerBot, uploadTarget } from '../../steps.js';
import { RawClient } from '../../wire/raw-client.js';
import { type Abuse, abuse, distinct, endOf, outcome } from '../abuse.js';
import type { Stage } from '../stage.js';

/** What fields are filled with. */

const hostile: Readonly<Record<string, string>> = {
  'with NUL': 'a\u0000b',
  'with ANSI': '\u001b[2J\u001b[31mred',
  'with a line break': 'a\r\nlevel=fatal',
  'of 100,000 characters': 'x'.repeat(100_000),
};

async function job(stage: Stage, spec: Partial<JobSpec>): Promise<string> {
  const { sha256 } = await stage.target(() => uploadTarget(stage.operator, randomBytes(1000)));
  const wish = { spec: JobSpec.create({ engine: 'libfuzzer', targetSha256: sha256, ...spec }) };
  const { jobs } = stage.operator;
  return outcome(unary(jobs, jobs.createJob, { ...wish, requestId: '' }));
}

const entries = (count: number, length: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`K${i}`, 'v'.repeat(length)]));

/** An object with "__proto__" as a key of its own, as a message may have it. */
const proto: Record<string, string> = JSON.parse('{"__proto__": "1", "constructor": "2"}');

const requiring = (labels: Record<string, string>): Partial<JobSpec> => ({
  requirements: { labels, memoryMib: 0, diskMib: 0, otherThanBotId: '' },
});

const jobs: readonly Abuse[] = [
  ...Object.entries(hostile).map(([what, name]) =>
    abuse(`a job’s name ${what}`, 'INVALID_ARGUMENT', (s) => job(s, { name })),
  ),
  abuse('a job’s project that is a path', 'INVALID_ARGUMENT', (s) =>
    job(s, { project: '../../etc' }),
  ),
  abuse('an executable that climbs out of its bundle', 'INVALID_ARGUMENT', (s) =>
    job(s, { executable: 'a/../../../bin/sh' }),
  ),
  abuse('an executable from the root', 'INVALID_ARGUMENT', (s) =>
    job(s, { executable: '/bin/sh' }),
  ),
  abuse('a target’s hash that is a path', 'INVALID_ARGUMENT', (s) =>
    job(s, { targetSha256: '../../../../etc/passwd'.padEnd(64, 'a') }),
  ),
  abuse('an environment that loads a library by its name’s tricks', 'INVALID_ARGUMENT', (s) =>
    job(s, { environment: { 'LD_PRELOAD=/x\u0000A': '1' } }),
  ),
  abuse('ten thousand variables', 'INVALID_ARGUMENT', (s) =>
    job(s, { environment: entries(10_000, 10) }),
  ),
  abuse('ten thousand arguments', 'INVALID_ARGUMENT', (s) =>
    job(s, { arguments: Array.from({ length: 10_000 }, () => '-a') }),
  ),
  abuse('ten thousand labels', 'INVALID_ARGUMENT', (s) => job(s, requiring(entries(10_000, 10)))),
  abuse('labels called __proto__ and constructor', /^(OK|INVALID_ARGUMENT)$/, async (s) => {
    const end = await job(s, requiring(proto));
    // Nobody else has them now.
    const plain = await job(s, { environment: { A: 'b' } });
    return plain === 'OK' ? end : `the next job: ${plain}`;
  }),
  abuse('a job for a hundred years', 'INVALID_ARGUMENT', (s) =>
    job(s, {
      timeouts: {
        scheduleToStartSeconds: 3_153_600_000,
        startToCloseSeconds: 0,
        scheduleToCloseSeconds: 0,
      },
    }),
  ),
  abuse('a job that begins in the year 9999', 'INVALID_ARGUMENT', (s) =>
    job(s, { notBefore: new Date('9999-12-31') }),
  ),
  abuse('a job with 2^31 attempts', 'INVALID_ARGUMENT', (s) => job(s, { maxAttempts: 2 ** 31 })),
];

const list = (wish: { pageSize?: number; pageToken?: string }) => (s: Stage) => {
  const { jobs: service } = s.operator;
  const page = { pageSize: 0, pageToken: '', state: 0, ...wish };
  return outcome(unary(service, service.listJobs, page));
};

const pages: readonly Abuse[] = [
  ...['../../etc', 'AAAA', `${newId()}`, "' OR 1=1 --", 'x'.repeat(100_000), '\u0000'].map(
    (token) =>
      abuse(
        `a forged token of a page: ${JSON.stringify(token).slice(0, 40)}`,
        'INVALID_ARGUMENT',
        list({ pageToken: token }),
      ),
  ),
  abuse('a page of 2^32 - 1 jobs', 'INVALID_ARGUMENT', list({ pageSize: 2 ** 32 - 1 })),
];

const leases: readonly Abuse[] = [
  abuse('a lease for ten years', 'INVALID_ARGUMENT', ({ bot }) => {
    const { jobs: service } = bot.connection;
    const wish = { botId: bot.id, waitMs: 0, leaseTtlMs: 2 ** 32 - 1 };
    return outcome(unary(service, service.assignJob, wish));
  }),
  abuse('a wait of fifty days', 'INVALID_ARGUMENT', ({ bot }) => {
    const { jobs: service } = bot.connection;
    const wish = { botId: bot.id, waitMs: 2 ** 32 - 1, leaseTtlMs: 0 };
    return outcome(unary(service, service.assignJob, wish));
  }),
  abuse(
    'a result under a fence of 2^53',
    /^(INVALID_ARGUMENT|NOT_FOUND|FAILED_PRECONDITION)/,
    ({ bot }) => {
      const { jobs: service } = bot.connection;
      const lease = { jobId: newId(), attempt: 1, fence: Number.MAX_SAFE_INTEGER };
      const result = { outcome: 1, message: '', statistics: undefined };
      return outcome(unary(service, service.completeJob, { lease, result }));
    },
  ),
];

type Said = NonNullable<HeartbeatRequest['message']>;

/** How a heartbeat stream ends that says hello, and this. */
async function beaten({ address, tokens, bot }: Stage, said: readonly Said[]): Promise<string> {
  const value = { botId: bot.id, instanceId: newId(), freeSlots: 0, leases: [] };
  const messages: Said[] = [{ $case: 'hello', value }, ...said];
  const bytes = messages.map((message) => HeartbeatRequest.encode({ message }).finish());
  const authorization = `Bearer ${tokens.bot}`;
  const path = '/pandafuzz.v1.BotService/Heartbeat';
  return endOf(await new RawClient(address).call(path, bytes, { authorization }));
}

const beat = (sequence: number, freeSlots = 0): Said => ({
  $case: 'beat',
  value: { sequence, freeSlots, leases: [], resources: undefined },
});

const beats: readonly Abuse[] = [
  abuse('beats that count backwards', /^FAILED_PRECONDITION/, (s) =>
    beaten(s, [beat(1), beat(2), beat(1)]),
  ),
  abuse('a beat that skips to 2^53', /^FAILED_PRECONDITION/, (s) =>
    beaten(s, [beat(1), beat(Number.MAX_SAFE_INTEGER)]),
  ),
  abuse('a bot with 2^32 - 1 free slots', 'INVALID_ARGUMENT', (s) =>
    beaten(s, [beat(1, 2 ** 32 - 1)]),
  ),
  abuse('two Hellos on one stream', /^(INVALID_ARGUMENT|FAILED_PRECONDITION)/, (s) => {
    const value = { botId: s.bot.id, instanceId: newId(), freeSlots: 0, leases: [] };
    return beaten(s, [{ $case: 'hello', value }]);
  }),
  abuse('three hundred heartbeat streams of one bot', /^[A-Z_, ]+$/, async (s) => {
    const ends = await Promise.all(Array.from({ length: 300 }, () => beaten(s, [beat(1)])));
    return distinct(ends);
  }),
];

const registered =
  (offer: Partial<RegisterBotRequest>, name = 'abuser') =>
  (s: Stage) =>
    outcome(registerBot(s.bot.connection, name, offer));

const bots: readonly Abuse[] = [
  ...['../../etc', 'a/b', '', 'a\u0000', '\u202eimda', '\u001b[31m', 'x'.repeat(1000)].map((name) =>
    abuse(
      `a bot called ${JSON.stringify(name).slice(0, 40)}`,
      'INVALID_ARGUMENT',
      registered({}, name),
    ),
  ),
  abuse(
    'a bot with ten thousand labels',
    'INVALID_ARGUMENT',
    registered({ labels: entries(10_000, 10) }),
  ),
  abuse(
    'a bot with a label of 400 KiB',
    'INVALID_ARGUMENT',
    registered({ labels: entries(1, 400_000) }),
  ),
  abuse(
    'a bot with a thousand engines',
    'INVALID_ARGUMENT',
    registered({ engines: Array.from({ length: 1000 }, (_, i) => `e${i}`) }),
  ),
  abuse('a bot with 2^32 - 1 slots', 'INVALID_ARGUMENT', registered({ slots: 2 ** 32 - 1 })),
  abuse(
    'a bot that puts itself into another pool',
    /^(INVALID_ARGUMENT|PERMISSION_DENIED OTHER_POOL)/,
    registered({ labels: { pool: 'trusted' } }),
  ),
];

interface Upload {
  readonly sha256?: string;
  readonly sizeBytes?: number;
  readonly name?: string;
  readonly uploadId?: string;
  readonly offsetBytes?: number;
}

const content = Buffer.from('an input of any kind');
const hash = createHash('sha256').update(content).digest('hex');

async function upload({ address, tokens }: Stage, header: Upload): Promise<string> {
  const value = {
    ...{ sha256: hash, sizeBytes: content.length, kind: ArtifactKind.SEEDS, name: 'seeds' },
    ...{ offsetBytes: 0, uploadId: '', ...header },
  };
  const messages = [
    UploadArtifactRequest.encode({ message: { $case: 'header', value } }).finish(),
    UploadArtifactRequest.encode({ message: { $case: 'chunk', value: content } }).finish(),
  ];
  const path = '/pandafuzz.v1.ArtifactService/UploadArtifact';
  const authorization = `Bearer ${tokens.operator}`;
  return endOf(await new RawClient(address).call(path, messages, { authorization }));
}

const uploads: readonly Abuse[] = [
  abuse('an upload with another hash than its content has', /^DATA_LOSS/, (s) =>
    upload(s, { sha256: 'a'.repeat(64) }),
  ),
  abuse('an upload whose hash is a path', 'INVALID_ARGUMENT', (s) =>
    upload(s, { sha256: '../../../../../../tmp/x'.padEnd(64, 'a') }),
  ),
  abuse('an upload whose id is a path', 'INVALID_ARGUMENT', (s) =>
    upload(s, { uploadId: '../../../../tmp/x', sha256: 'b'.repeat(64) }),
  ),
  abuse('an upload with a name with NUL', 'INVALID_ARGUMENT', (s) =>
    upload(s, { name: 'a\u0000' }),
  ),
  abuse('an upload of more than it says', /^(INVALID_ARGUMENT|DATA_LOSS)/, (s) =>
    upload(s, { sizeBytes: 3, sha256: 'c'.repeat(64) }),
  ),
  abuse('an upload of an exabyte', /^(INVALID_ARGUMENT|RESOURCE_EXHAUSTED)/, (s) =>
    upload(s, { sizeBytes: 2 ** 52, sha256: 'd'.repeat(64) }),
  ),
  abuse('an upload that goes on beyond its end', /^(OUT_OF_RANGE|INVALID_ARGUMENT)/, (s) =>
    upload(s, { offsetBytes: 2 ** 52, sha256: 'e'.repeat(64) }),
  ),
];

export const inputs: readonly Abuse[] = [
  ...jobs,
  ...pages,
  ...leases,
  ...beats,
  ...bots,
  ...uploads,
];
