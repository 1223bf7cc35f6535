import { newId } from '../../src/core/ids.js';
import type { ArtifactRow, ClaimedJob } from '../../src/store/rows.js';

/** Inputs of the store's operations. */

export const engine = 'libfuzzer';

export const bot = {
  id: 'bot',
  name: 'bot',
  engines: [engine],
  slots: 1,
  labels: {},
  version: '1',
  memoryMib: 0,
  diskMib: 0,
  now: 1,
};

export const target: ArtifactRow = {
  sha256: 'a'.repeat(64),
  kind: 'target',
  name: 't',
  size_bytes: 1,
  created_at: 1,
};

export const spec = JSON.stringify({
  engine,
  name: 'bench',
  arguments: ['-rss_limit_mb=2048'],
});

export const newJob = () => ({
  id: newId(),
  requestId: null,
  engine,
  priority: 0,
  maxAttempts: 3,
  now: Date.now(),
  targetSha256: target.sha256,
  seedsSha256: null,
  targetName: '',
  spec,
  campaign: '',
  labels: '{}',
  memoryMib: 0,
  diskMib: 0,
  readyAt: null,
  startWithinMs: null,
  runWithinMs: null,
  closeWithinMs: null,
});

/** Beats that are written together. */
export const flush = (beats: number) => ({
  bots: Array.from({ length: beats }, () => ({ id: bot.id, lastSeenAt: Date.now() })),
  runs: [],
});

export const claim = () => ({
  botId: bot.id,
  queues: [1],
  ttlMs: 30_000,
  acknowledged: false,
  now: Date.now(),
});

const ended = { message: '', retryFirstMs: 0, retryMaxMs: 0 };

export const completion = ({ id, attempt, fence }: ClaimedJob) => ({
  jobId: id,
  attempt,
  fence,
  outcome: 'completed' as const,
  statistics: '{"executions":1}',
  now: Date.now(),
  ...ended,
});

export const giveBack = ({ id, fence }: ClaimedJob) => ({
  jobId: id,
  fence,
  outcome: 'lost' as const,
  statistics: null,
  now: Date.now(),
  ...ended,
});
