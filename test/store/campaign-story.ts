import { completeInput, jobInput, storyBot, target } from './inputs.js';

const campaignId = '00000000-0000-7000-8000-0000000000c0';
const runId = (index: number) => `00000000-0000-7000-8000-0000000000d${index}`;
const key = 'p/png';
const requirements = {
  campaign: key,
  requiredEngine: 'libfuzzer',
  labels: '{}',
  memoryMib: 0,
  diskMib: 0,
  otherThanBotId: '',
};
const spec = (build: string) => JSON.stringify({ name: build });
const arm = (build: string, targetSha256 = target.sha256) => ({
  ...{ build, targetSha256, spec: spec(build + targetSha256) },
  ...{ seedsSha256: null, dictionarySha256: null, ...requirements },
});
const campaign = {
  id: campaignId,
  requestId: runId(9),
  project: 'p',
  name: 'png',
  key,
  targetName: 'png',
  spec: '{"name":"png"}',
  weight: 2,
  maxParallel: 0,
  arms: [arm('one')],
  dueAt: 40,
  now: 40,
};
const named = { project: '', text: 'png' };
const shown = { ...named, earlier: 5, history: 5, runs: 5 };
const listed = { project: '', archived: false, beforeId: 'g', limit: 10 };
const stopped = { campaignId: '', afterJobId: '', limit: 10 };

/** A life of a campaign whose queue is this one; the bot of the story has a free slot. */
export function campaignStory(
  queue: number,
): readonly (readonly [operation: string, input: unknown])[] {
  const claim = (index: number, revision: number) => ({
    ...{ botId: storyBot, queues: [queue], ttlMs: 1000, acknowledged: true, now: 41 },
    run: {
      ...{ campaignId, revision, build: 'one', plannedMs: 9000 },
      job: { ...jobInput({ id: runId(index), now: 41 }), project: 'p', campaign: key },
    },
  });
  const end = (index: number, figures: object) => ({
    ...completeInput({ id: runId(index), attempt: 1, fence: 1 }),
    ...{ statistics: JSON.stringify(figures), now: 42 },
  });
  const move = { id: campaignId, reason: 'r', dueAt: null, stopping: 0, now: 44 };
  const update = {
    ...{ id: campaignId, revision: 1, spec: '{"name":"png","until":{"cpuHours":0.05}}' },
    ...{ weight: 3, maxParallel: 4, dueAt: null, changes: ['weight 2 -> 3'], isOver: false },
  };
  return [
    ['create_campaign', campaign],
    ['create_campaign', { ...campaign, id: runId(8) }],
    ['resolve_campaign', named],
    ['resolve_campaign', { project: 'p', text: campaignId.slice(0, 35) }],
    ['list_fuzz_campaigns', listed],
    ['list_fuzz_campaigns', { ...listed, project: 'p' }],
    ['load_campaigns', { afterId: '', limit: 10 }],
    ['due_campaigns', { now: 40, limit: 10 }],
    ['postpone_campaign', { id: campaignId, dueAt: 90, now: 42, window: 'closed' }],
    ['claim_job', claim(1, 1)],
    ['look_at_runs', { afterId: '', limit: 10 }],
    ['update_campaign', { ...update, now: 41, arms: [arm('two'), arm('one', 'e'.repeat(64))] }],
    // Planned by the campaign as it was.
    ['claim_job', claim(2, 1)],
    ['complete_job', end(1, { coverage: 5, loadedCoverage: 3 })],
    ['look_at_runs', { afterId: '', limit: 1 }],
    ['settle_run', { jobId: runId(1), now: 43 }],
    ['settle_run', { jobId: runId(1), now: 43 }],
    ['claim_job', claim(3, 2)],
    ['move_campaign', { ...move, to: 'paused', stopping: 1, from: ['active'] }],
    ['runs_to_stop', stopped],
    ['runs_to_stop', { ...stopped, campaignId, afterJobId: runId(3) }],
    ['runs_stopped', { campaignId }],
    ['move_campaign', { ...move, to: 'active', dueAt: 95, from: ['paused'], now: 45 }],
    ['mark_stuck', { id: campaignId, by: 'flat', reason: 'nothing new', now: 45 }],
    ['mark_stuck', { id: campaignId, by: '', reason: 'found', now: 45 }],
    ['complete_job', end(3, { coverage: 3, loadedCoverage: 3 })],
    ['settle_run', { jobId: runId(3), now: 46 }],
    // The third that hardly fuzzed, and the last of its CPU time.
    ['claim_job', claim(4, 2)],
    ['complete_job', end(4, { elapsedMs: 9000, restartingMs: 8000 })],
    ['settle_run', { jobId: runId(4), now: 46 }],
    ['show_campaign', shown],
    ['load_campaign', campaignId],
    ['list_campaign_history', { campaignId, beforeSequence: 3, limit: 10 }],
    ['move_campaign', { ...move, to: 'archived', from: ['ended'], now: 47 }],
    ['list_fuzz_campaigns', listed],
    ['list_fuzz_campaigns', { ...listed, project: 'p', archived: true }],
    ['list_fuzz_campaigns', { ...listed, archived: true }],
    ['show_campaign', { ...shown, project: 'p' }],
    ['prune_archived_campaigns', { olderThan: 47, limit: 10 }],
    ['prune_archived_campaigns', { olderThan: 100, limit: 2 }],
    ['prune_archived_campaigns', { olderThan: 100, limit: 100 }],
    ['load_campaign', campaignId],
  ];
}
