import { firstJob } from '../../src/store/ops/jobs/prune-jobs.js';
import { campaignStory } from './campaign-story.js';
import { corpusStory } from './corpus-story.js';
import { coverageStory } from './coverage-story.js';
import { crashStory } from './crash-story.js';
import { botInput, completeInput, jobInput, noPause, storyBot, target } from './inputs.js';

/**
 * A life of a small fleet: every operation at least once, with fixed ids and times, as
 * [operation, input]. No operation of it fails.
 */

const bot = storyBot;
const job = (index: number) => `00000000-0000-7000-8000-00000000000${index}`;
const claim = (acknowledged: boolean, queues: number[], now: number) => ({
  botId: bot,
  queues,
  ttlMs: 1000,
  acknowledged,
  now,
});
const build = {
  project: 'p',
  targetName: 'imported',
  engine: 'libfuzzer',
  targetSha256: 'e'.repeat(64),
  executable: 'fuzzer',
  seedsSha256: 'c'.repeat(64),
  dictionarySha256: 'd'.repeat(64),
  now: 15,
};
const tokenId = (index: number) => `00000000-0000-7000-8000-0000000000a${index}`;
const beforeAll = 'g';
const page = { beforeId: beforeAll, limit: 10 };

const auditNote = (time: number) => ({
  ...{ kind: 'change', time, method: 'JobService/CreateJob', caller: 'me', tokenId: '' },
  ...{ role: 'admin', address: '127.0.0.1', requestId: job(1), outcome: 'OK', count: 1 },
  about: [['name', 'n']],
});
const auditPage = {
  ...{ caller: undefined, since: 0, isOldestFirst: false, after: undefined, limit: 10 },
};

/** In a pack. */
const small = { sha256: 'b'.repeat(64), sizeBytes: 6, packId: 1, position: 0 };

const seriesPoint = {
  ...{ subject: 'target default/t', stepS: 60, time: 60_000, engine: 'libfuzzer', looks: 2 },
  ...{ rateSum: 3.5, rateMin: 1.5, rateMax: 2, runningSum: 4, executions: 30, fuzzedMs: 9000 },
  ...{ crashHits: 1, newGroups: 1, coverage: 7, features: 8, corpusFiles: 9, corpusBytes: 99 },
  peakMemoryBytes: 1000,
};

const runSum = {
  ...{ project: 'default', targetName: 't', campaign: 'night', engine: 'libfuzzer' },
  ...{ executions: 30, fuzzedMs: 9000, crashHits: 1, newGroups: 1, lastAt: 60_000 },
};

export const story: readonly (readonly [operation: string, input: unknown])[] = [
  ['put_artifact', { ...target, quota: { most: 9, setting: 's', whatToDo: 'w' } }],
  ['put_artifact', { ...target, name: 'again' }],
  ['put_artifact', { ...target, sha256: 'c'.repeat(64), kind: 'seeds' }],
  ['get_artifact', target.sha256],
  ['register_bot', botInput('bot', bot)],
  [
    'register_bot',
    {
      ...botInput('bot', job(9)),
      slots: 3,
      isolation: 3,
      isolationGaps: ['no cgroup'],
      runsAsRoot: true,
      now: 2,
    },
  ],
  ['get_bot', bot],
  ['look_at_bot', bot],
  // Of clusters, before there is a lease: SQLite does nothing for them.
  ['take_over', { master: 0 }],
  [
    'enter_bot',
    { ...{ botId: job(8), instanceId: 'a', stream: 1 }, master: 0, liveSince: 0, now: 1 },
  ],
  ['leave_bot', { botId: job(8), instanceId: 'a', stream: 1, master: 0 }],
  ['find_registered', { identity: undefined, name: 'bot' }],
  ['register_bot', { ...botInput('short', job(8)), identity: job(8), now: 3 }],
  ['register_bot', { ...botInput('long', job(7)), identity: job(8), wantedName: 'longer', now: 4 }],
  ['find_registered', { identity: job(8), name: '' }],
  ['put_token', tokenInput(0, 'enrol')],
  ['enrol_bot', { ...tokenInput(1, 'bot'), enrolId: tokenId(0) }],
  ['put_token', { ...tokenInput(2, 'bot'), botId: bot, expiresAt: 9 }],
  [
    'register_bot',
    { ...botInput('third', job(6)), credential: { tokenId: tokenId(1), botId: null }, now: 7 },
  ],
  [
    'register_bot',
    { ...botInput('third', job(6)), credential: { tokenId: tokenId(1), botId: job(6) }, now: 7 },
  ],
  ['has_token', { botId: bot, exceptId: tokenId(1), now: 5 }],
  ['has_token', { botId: bot, exceptId: tokenId(2), now: 5 }],
  ['attempt_holder', { jobId: job(0), fence: 1 }],
  ['touch_tokens', [{ id: tokenId(1), at: 6 }]],
  ['revoke_token', { id: tokenId(1), by: 'me', now: 8 }],
  ['list_tokens', page],
  ['put_secret', { project: 'p', name: 'n', keyId: 'k', sealed: 's', by: 'me', now: 8 }],
  ['put_secret', { project: 'p', name: 'n', keyId: 'k', sealed: 't', by: 'me', now: 9 }],
  ['reseal_secret', { project: 'p', name: 'n', keyId: 'l', sealed: 'u', before: 's' }],
  ['reseal_secret', { project: 'p', name: 'n', keyId: 'l', sealed: 'u', before: 't' }],
  ['list_secrets', { project: '', name: '', limit: 10, isWithin: false }],
  ['list_secrets', { project: 'p', name: '', limit: 10, isWithin: true }],
  ['delete_secret', { project: 'p', name: 'n', by: 'me', now: 9 }],
  ['delete_secret', { project: 'p', name: 'n', by: 'me', now: 9 }],
  ['append_audit', auditNote(1)],
  ['append_audit', auditNote(200_000_000)],
  ['list_audit', { ...auditPage, isOldestFirst: true, after: undefined }],
  ['list_audit', { ...auditPage, caller: 'me', since: 2, after: 9 }],
  ['list_audit', { ...auditPage, isOldestFirst: true, caller: 'me', after: 1 }],
  [
    'prune_audit',
    { olderThan: 100_000_000, keep: 10, limit: 10, isBegun: false, now: 300_000_000 },
  ],
  ['prune_audit', { olderThan: 0, keep: 1, limit: 10, isBegun: true, now: 300_000_000 }],
  ['list_audit', auditPage],
  ['known_tokens', { afterId: '', limit: 10 }],
  ['known_token', job(0)],
  ['prune_tokens', { olderThan: 10, limit: 10 }],
  ['list_tokens', page],
  ['unseen_bots', { olderThan: 5, after: { lastSeenAt: 0, id: '' }, limit: 10 }],
  ['forget_unseen', { ids: [job(8)], olderThan: 5, now: 5 }],
  ['prune_forgotten', { after: '', limit: 10 }],
  ['create_job', jobInput({ id: job(1), priority: 1, now: 10 })],
  ['create_job', jobInput({ id: job(2), requestId: job(8), now: 11 })],
  ['create_job', jobInput({ id: job(3), requestId: job(8), now: 12 })],
  ['create_job', { ...jobInput({ id: job(4), now: 13 }), campaign: 'c', targetName: 'other' }],
  [
    'create_job',
    {
      ...jobInput({ id: job(5), now: 14 }),
      seedsSha256: 'c'.repeat(64),
      readyAt: 20,
      labels: '{"os":"linux"}',
      startWithinMs: 10,
      runWithinMs: 100,
      closeWithinMs: 1000,
    },
  ],
  ['create_job', { ...jobInput({ id: job(6), now: 15 }), closeWithinMs: 5 }],
  ['put_artifact', { ...target, sha256: 'd'.repeat(64), kind: 'dictionary' }],
  ['put_artifact', { ...target, sha256: 'e'.repeat(64), kind: 'bundle', name: 'out.zip' }],
  ['register_build', build],
  ['register_build', { ...build, executable: '', targetSha256: target.sha256, now: 16 }],
  ['register_build', { ...build, now: 17 }],
  ['get_target', { project: 'p', targetName: 'imported', limit: 10 }],
  ['list_targets', { afterProject: '', afterName: '', project: '', limit: 10 }],
  ['list_targets', { afterProject: '', afterName: 'a', project: 'p', limit: 1 }],
  ['list_queues', { afterId: 0, limit: 10 }],
  ['list_ahead', { id: job(2), queueId: 1, priority: 0, limit: 10 }],
  ['set_campaign', { key: 'c', weight: 2, maxParallel: 5, now: 16 }],
  ['list_campaigns', { afterKey: null, limit: 10 }],
  ['list_campaigns', { afterKey: '', limit: 10 }],
  ['read_counters', null],
  ['claim_job', claim(false, [1], 17)],
  ['acknowledge_lease', { jobId: job(1), attempt: 1, fence: 1, botId: bot, now: 18 }],
  ['claim_job', claim(true, [2, 1], 19)],
  ['list_leases', { afterJobId: '', limit: 10 }],
  ['held_leases', { jobIds: [job(0), job(1), job(2)], master: 0 }],
  ['keep_job_log', { jobId: job(1), fence: 1, log: 'AAEC' }],
  ['keep_job_log', { jobId: job(1), fence: 1, log: 'AAECAw==' }],
  ['get_job_log', job(1)],
  ['list_due', { now: 20, limit: 10 }],
  ['ready_jobs', { now: 20, limit: 10 }],
  ['time_out_job', { jobId: job(6), graceMs: 5, now: 21 }],
  ['retry_job', { jobId: job(6), now: 22 }],
  ['pause_job', { jobId: job(6), now: 23 }],
  ['resume_job', { jobId: job(6), now: 24 }],
  ['pause_job', { jobId: job(5), now: 24 }],
  ['resume_job', { jobId: job(5), now: 25 }],
  ['pause_job', { jobId: job(5), now: 26 }],
  ['pause_job', { jobId: job(5), now: 27 }],
  ['request_cancel', { jobId: job(5), now: 28 }],
  ['request_cancel', { jobId: job(1), now: 29 }],
  ['acknowledge_stop', { jobId: job(1), fence: 1, now: 30 }],
  [
    'flush_beats',
    {
      bots: [{ id: bot, lastSeenAt: 31 }],
      runs: [{ jobId: job(1), fence: 1, statistics: '{"executions":"3"}' }],
    },
  ],
  // The second adds to the first.
  ['add_points', [seriesPoint, { ...seriesPoint, rateMin: 1, coverage: 9, features: 2 }]],
  ['keep_run_sums', { sums: [runSum], gone: [] }],
  ['keep_run_sums', { sums: [{ ...runSum, executions: 40 }], gone: [{ ...runSum, engine: 'x' }] }],
  ['load_run_sums', { limit: 9 }],
  [
    'read_run_figures',
    { campaigns: ['', 'night'], targets: [{ project: 'default', targetName: 't' }] },
  ],
  [
    'read_series',
    {
      ...{ subject: seriesPoint.subject, stepS: 60, afterTime: 0, afterEngine: '' },
      to: 60_001,
      limit: 9,
    },
  ],
  [
    'add_corpus',
    {
      jobId: job(1),
      attempt: 1,
      fence: 1,
      now: 33,
      merge: { afterMs: 1, isByGrowth: true },
      bounds: { entries: 2, bytes: 9 },
      entries: [
        { sha256: 'd'.repeat(64), sizeBytes: 4, origin: 'seeds' },
        { sha256: 'e'.repeat(64), sizeBytes: 5, origin: 'engine' },
        { sha256: 'd'.repeat(64), sizeBytes: 4, origin: 'engine' },
        { sha256: 'f'.repeat(64), sizeBytes: 1, origin: 'engine' },
      ],
    },
  ],
  [
    'add_corpus',
    {
      jobId: job(1),
      attempt: 1,
      fence: 1,
      now: 34,
      merge: { afterMs: null, isByGrowth: false },
      bounds: { entries: 10, bytes: 2 ** 30 },
      entries: [{ sha256: small.sha256, sizeBytes: small.sizeBytes, origin: 'engine' }],
      placed: [small],
    },
  ],
  ['find_blobs', [small.sha256]],
  ['last_pack', null],
  ['known_packs', [1, 2]],
  ['move_blobs', [{ to: { ...small, packId: 2 }, from: { packId: 1, position: 0 } }]],
  ['find_blobs', [small.sha256]],
  ['mostly_dead_packs', 5],
  ['list_blobs', { after: '', limit: 5 }],
  ['list_packs', { after: 0, limit: 5 }],
  ['read_blob_place', null],
  ['set_blob_place', { name: 'a', url: 's3://a/b' }],
  ['read_blob_place', null],
  ['set_blob_place', null],
  ['retire_pack', { id: 1, now: 35 }],
  ['retire_pack', { id: 2, now: 35 }],
  ['retired_packs', { before: 36, limit: 5 }],
  ['forget_pack', 1],
  ['forget_pack', 2],
  ['lose_blob', { sha256: small.sha256, size_bytes: 6, pack_id: 2, position: 0 }],
  ['find_blobs', [small.sha256]],
  ...crashStory(job(1)),
  ...corpusStory(job(1), bot),
  ...coverageStory(bot),
  ['drain_bot', { botId: bot, wanted: true, now: 40 }],
  ['acknowledge_drain', { botId: bot, now: 41 }],
  [
    'complete_job',
    { ...completeInput({ id: job(1), attempt: 1, fence: 1 }, 'cancelled'), now: 42 },
  ],
  ['release_lease', released(43)],
  ['release_lease', released(44)],
  ['mark_drained', { botId: bot, now: 45 }],
  ['drain_bot', { botId: bot, wanted: false, now: 46 }],
  ['claim_job', claim(false, [1, 2, 3], 47)],
  [
    'complete_job',
    {
      ...completeInput({ id: job(2), attempt: 1, fence: 2 }),
      acknowledged: { botId: bot, at: 48 },
      now: 49,
    },
  ],
  ['create_job', { ...jobInput({ id: job(0), now: 49 }), campaign: 'z', fuzzWithinMs: 9000 }],
  ['claim_job', claim(true, [8], 49)],
  ['complete_job', { ...unstarted(1), now: 49 }],
  ['claim_job', claim(true, [8], 49)],
  ['list_avoided', { jobId: job(0), limit: 10 }],
  ['list_avoided_bots', { afterBotId: '', limit: 10 }],
  ['due_avoided', { now: 60, limit: 10 }],
  ['settle_avoided', { again: [{ botId: bot, jobId: job(0), untilAt: 65 }], ended: [job(9)] }],
  ['forgive_bot', { botId: bot, jobIds: [job(0)], limit: 10 }],
  ['forgive_bot', { botId: bot, jobIds: null, limit: 10 }],
  ['hold_bot', { botId: bot, failedStarts: 1, heldUntil: 70, why: 'noexec', now: 49 }],
  ['list_held', { afterId: '', limit: 10 }],
  ['hold_bot', { botId: bot, failedStarts: 0, heldUntil: null, why: '', now: 49 }],
  ['mark_lost', { ids: [bot, 'nobody'], now: 49 }],
  ['seen_bots', { since: 0, after: { lastSeenAt: 0, id: '' }, limit: 10 }],
  ['mark_back', { ids: [bot], now: 49 }],
  ['claim_job', claim(true, [8], 49)],
  [
    'complete_job',
    {
      ...completeInput({ id: job(0), attempt: 1, fence: 2 }, 'failed'),
      ...{ final: true, botId: bot, statistics: '{"executions":5,"elapsedMs":6}', now: 49 },
    },
  ],
  ...campaignStory(9),
  ['show_job', { jobId: job(0), attempts: 5 }],
  ['show_job', { jobId: job(1), attempts: 5 }],
  ['show_job', { jobId: job(2), attempts: 5 }],
  ['get_job', job(2)],
  ['list_jobs', page],
  ['list_jobs', { ...page, state: 'cancelled' }],
  ['find_jobs', { ...page, sinceId: '', filter: {} }],
  ['find_jobs', { ...page, sinceId: '0', filter: { state: 'cancelled', campaign: '' } }],
  ['find_jobs', { ...page, sinceId: '', filter: { project: 'default', targetName: 'demo' } }],
  ['find_jobs', { ...page, sinceId: '', filter: { project: 'default' } }],
  ['find_jobs', { ...page, sinceId: '', filter: { project: 'default', isBound: true } }],
  ['project_bytes', 'default'],
  ['project_of', { kinds: ['crash', 'job'], id: job(1) }],
  ['project_of', { kinds: ['campaign', 'decision', 'crash group'], id: job(1) }],
  ['is_artifact_of', { sha256: target.sha256, projects: ['none', 'default'] }],
  ['is_artifact_of', { sha256: 'c'.repeat(64), projects: ['default'] }],
  ['list_crashes', { ...page, project: 'default' }],
  ['list_crash_decisions', { ...page, project: 'default' }],
  ['list_corpora', { project: 'default', targetName: '', limit: 10, isWithin: true }],
  ['list_campaigns', { afterKey: null, project: 'default', limit: 10 }],
  ['list_campaigns', { afterKey: 'default/a', project: 'default', limit: 10 }],
  [
    'find_ids',
    {
      ...{ from: job(0), to: job(9), limit: 10, projects: ['default', 'none'] },
      resources: ['bot', 'job', 'crash', 'crash group', 'decision'],
    },
  ],
  ['list_events', { cursor: 0, jobId: undefined, projects: ['none'], limit: 100 }],
  ['list_events', { cursor: 0, jobId: undefined, limit: 100 }],
  ['list_events', { cursor: 1, jobId: job(1), limit: 3 }],
  ['mark_alive', 50],
  ['open_epoch', { seen: null, now: 50 }],
  ['open_epoch', { seen: { epoch: 0, marks: 1 }, now: 51 }],
  [
    'read_progress',
    { ...{ afterProject: '', afterName: '', project: '', limit: 9 }, from: 0, newFrom: job(1) },
  ],
  ['newest_ends', { since: 0, limit: 10 }],
  ['newest_ends', { since: 0, limit: 10, project: 'default' }],
  ['prune_series', { stepS: 60, olderThan: 60_001, limit: 10 }],
  ['prune_jobs', { after: firstJob, olderThan: 100, limit: 2, now: 51 }],
  ['put_artifact', { ...target, sha256: 'f'.repeat(64) }],
  ['prune_artifacts', { olderThan: 100, limit: 10, now: 51 }],
  ['mark_unused_blobs', { now: 52, limit: 10 }],
  ['list_unused_blobs', { before: 53, limit: 10 }],
  ['delete_unused_blobs', { names: ['f'.repeat(64)], before: 53 }],
  ['prune_events', { olderThan: 100, limit: 5 }],
  ['find_queues', { ids: [1, 2, 99] }],
  ['prune_queues', { after: 0, limit: 10 }],
  ['prune_campaigns', { after: '', limit: 10 }],
  ['next_notice', { cursor: 2, kinds: ['crash_group.new', 'bot.lost'], projects: [], limit: 10 }],
  ['list_jobs', page],
  ['list_events', { cursor: null, jobId: undefined, limit: 100 }],
  ['read_counters', null],
  ['list_queues', { afterId: 0, limit: 10 }],
  ['forget_bot', { botId: bot, now: 52 }],
  ['list_bots', page],
  ['read_counters', null],
];

function tokenInput(number: number, role: 'enrol' | 'bot') {
  const [id, hash] = [tokenId(number), String(number).repeat(64)];
  return {
    id,
    hash,
    name: 'n',
    role,
    pool: '',
    projects: '[]',
    certificate: '',
    botId: null,
    createdBy: 'me',
    expiresAt: null,
    now: 5,
  };
}

function released(now: number) {
  const lease = { jobId: job(2), fence: 1, outcome: 'lost', message: 'gone', statistics: null };
  return { ...lease, ...noPause, now };
}

/** A start of a job that failed on the bot. */
function unstarted(fence: number) {
  return {
    ...completeInput({ id: job(0), attempt: 1, fence }, 'infrastructure'),
    ...{ trouble: 'missing', cause: 'library x', avoid: { avoidFirstMs: 5, avoidMaxMs: 9 } },
    statistics: '{"executions":3,"elapsedMs":4}',
  };
}
