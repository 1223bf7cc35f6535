import { newId } from '../../src/core/ids.js';
import type { ArtifactRow, ClaimedJob } from '../../src/store/rows.js';
import inputs from './inputs.json' with { type: 'json' };

/** Inputs of the store's operations. */

const targetSha256 = 'a'.repeat(64);
export const { bot } = inputs;
export const target: ArtifactRow = { ...inputs.target, sha256: targetSha256, kind: 'target' };
export const job = { ...inputs.job, targetSha256 };

export const newJob = () => ({ ...job, id: newId(), now: Date.now() });
export const claim = () => ({ ...inputs.claim, now: Date.now() });

/** Beats that are written together. */
export const flush = (beats: number) => ({
  bots: Array.from({ length: beats }, () => ({ id: bot.id, lastSeenAt: Date.now() })),
  runs: [],
});

export const completion = ({ id: jobId, attempt, fence }: ClaimedJob) => {
  const outcome = 'completed' as const;
  return { ...inputs.end, jobId, attempt, fence, outcome, now: Date.now() };
};

export const giveBack = ({ id: jobId, fence }: ClaimedJob) => {
  const outcome = 'lost' as const;
  return { ...inputs.end, jobId, fence, outcome, statistics: null, now: Date.now() };
};
