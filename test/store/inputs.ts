import { newId } from '../../src/core/ids.js';
import type { CrashReading } from '../../src/store/crash-rows.js';
import { registerBot } from '../../src/store/ops/bots/register-bot.js';
import { putArtifact } from '../../src/store/ops/corpus/put-artifact.js';
import type { ArtifactRow } from '../../src/store/rows.js';
import type { Store } from '../../src/store/store.js';
import { testContext } from '../harness.js';

/** Inputs of operations as tests need them: valid, small, and at times that only rise. */

let time = 1000;
export const tick = (): number => time++;

/** The bot of the story. */
export const storyBot = '00000000-0000-7000-8000-00000000000b';

const engine = 'libfuzzer';
/** No pause after a failure. */
export const noPause = { retryFirstMs: 0, retryMaxMs: 0 };
/** The only queue, as long as all jobs ask the same of a bot. */
const onlyQueue = 1;

export const target: ArtifactRow = {
  sha256: 'a'.repeat(64),
  kind: 'target',
  name: 'demo',
  size_bytes: 1,
  created_at: 1,
};

export const botInput = (name = 'b', id = newId()) => ({
  id,
  name,
  engines: [engine],
  slots: 1,
  labels: {},
  version: '1',
  now: 1,
  memoryMib: 0,
  diskMib: 0,
  engineDetails: '[]',
});

export function jobInput(
  options: {
    id?: string;
    priority?: number;
    requestId?: string | null;
    maxAttempts?: number;
    name?: string;
    now?: number;
  } = {},
) {
  const { name = '', ...given } = options;
  return {
    id: newId(),
    requestId: null,
    engine,
    priority: 0,
    maxAttempts: 3,
    now: tick(),
    targetSha256: target.sha256,
    executable: '',
    seedsSha256: null,
    dictionarySha256: null,
    targetName: '',
    kind: 'fuzz' as const,
    requiredEngine: engine,
    otherThanBotId: '',
    project: 'default',
    campaign: '',
    labels: '{}',
    memoryMib: 0,
    diskMib: 0,
    readyAt: null,
    startWithinMs: null,
    runWithinMs: null,
    closeWithinMs: null,
    spec: JSON.stringify({ engine, name }),
    ...given,
  };
}

export const claimInput = (botId: string, acknowledged = true) => ({
  botId,
  queues: [onlyQueue],
  ttlMs: 1000,
  acknowledged,
  now: tick(),
});

export const completeInput = (
  lease: { id: string; attempt: number; fence: number },
  outcome: 'completed' | 'failed' | 'cancelled' | 'infrastructure' = 'completed',
) => ({
  jobId: lease.id,
  attempt: lease.attempt,
  fence: lease.fence,
  outcome,
  message: 'm',
  statistics: '{}',
  now: tick(),
  ...noPause,
});

export const crashInput = (
  lease: { id: string; attempt: number; fence: number },
  input: string,
  signature = 's',
) => ({
  jobId: lease.id,
  attempt: lease.attempt,
  fence: lease.fence,
  id: newId(),
  newGroupId: newId(),
  inputSha256: input.repeat(64),
  inputSizeBytes: 3,
  report: 'r',
  context: null,
  hits: 1,
  minimisedFrom: null,
  now: tick(),
  ...readingOf(signature),
});

/** What a reader found, with this signature and distinction. */
export const readingOf = (signature: string, distinction = signature): CrashReading => ({
  kind: 'SEGV',
  message: '',
  topFrame: 'f',
  language: 'c',
  access: 'read',
  accessSizeBytes: 4,
  address: 'wild',
  security: 1,
  securityWhy: 'w',
  signatureVersion: 2,
  signature,
  distinction,
  frames: JSON.stringify(['f', 'g']),
  stack: JSON.stringify([{ function: 'f', line: 3, own: true }, { function: 'g' }]),
});

export async function withTarget(store: Store): Promise<void> {
  await store.run(testContext(), putArtifact, target);
}

export async function withBot(store: Store, name = 'b'): Promise<string> {
  return (await store.run(testContext(), registerBot, botInput(name))).id;
}
