import {
  claimInput,
  completeInput,
  crashInput,
  jobInput,
  readingOf,
  storyBot,
  target,
} from './inputs.js';

const build = { project: 'default', targetName: 'demo', targetSha256: target.sha256 };
const waiting = { after: { project: '', targetName: '' }, mostJobs: 5, mostInputs: 2 };
const workId = (index: number) => `00000000-0000-7000-8000-0000000000a${index}`;
const work = (kind: 'reproduce' | 'verify', index: number) => ({
  kind,
  crashId: kind === 'reproduce' ? 'crash 0' : null,
  afterGroupId: '',
  nextAfterGroupId: kind === 'verify' ? 'group 0' : null,
  job: {
    ...jobInput({ id: workId(index), now: 35 }),
    kind,
    requiredEngine: 'work',
    otherThanBotId: kind === 'reproduce' ? 'b' : '',
    targetName: 'demo',
    spec: JSON.stringify({ crashWork: { inputs: [{ crashId: 'crash 0' }] } }),
  },
});
const result = (index: number, runs: number, crashes: number) => ({
  id: `result ${index}`,
  lease: { jobId: workId(index), attempt: 1, fence: 1 },
  crashId: 'crash 0',
  runs,
  log: 'l',
  minimise: true,
  now: 35,
  reports: crashes === 0 ? [] : [{ signature: 's', distinction: 's:1', count: crashes }],
});
/** In queues 4 and 5, which their jobs are the first of. */
const claimOf = (queue: number) =>
  ['claim_job', { ...claimInput(storyBot), queues: [queue], ttlMs: 1000, now: 35 }] as const;

/** Work on the crashes: wished for, made, done, and settled. */
const workStory: readonly (readonly [string, unknown])[] = [
  ['list_waiting_crash_work', waiting],
  ['list_waiting_crash_work', { ...waiting, after: build }],
  ['find_crash_to_run', 'crash 0'],
  ['find_crash_to_run', 'group 0'],
  ['find_build_to_verify', { ...build, targetName: '', limit: 2 }],
  ['make_crash_work', { ...work('reproduce', 1), workId: 1 }],
  ['make_crash_work', { ...work('reproduce', 2), workId: 1 }],
  ['make_crash_work', { ...work('verify', 3), workId: null }],
  ['list_waiting_crash_work', waiting],
  claimOf(4),
  claimOf(5),
  ['report_reproduction', result(1, 5, 5)],
  ['report_reproduction', result(1, 5, 5)],
  ['report_reproduction', result(3, 5, 0)],
  ['get_crash', { id: 'crash 0', reproductions: 3 }],
  ['get_crash_group', { id: 'group 0', similar: 5, builds: 5 }],
  ['complete_job', completeInput({ id: workId(1), attempt: 1, fence: 1 })],
  ['list_ended_crash_work', { limit: 5 }],
  [
    'settle_crash_work',
    [
      { id: 1, jobId: workId(1), again: true },
      { id: 9, jobId: workId(3), again: false },
      { id: 3, jobId: null, again: false },
    ],
  ],
  ['list_waiting_crash_work', waiting],
  ['complete_job', completeInput({ id: workId(3), attempt: 1, fence: 1 })],
];

/** The part of the story that is about crashes: found by a job's first lease, at 34 to 39. */
export function crashStory(jobId: string): readonly (readonly [string, unknown])[] {
  const lease = { jobId, attempt: 1, fence: 1 };
  const page = { beforeId: 'z', limit: 10 };
  const groups = { ...page, filter: {} };
  const here = { project: 'default', targetName: 'demo' };
  const crash = (index: number, input: string, signature: string, distinction = signature) =>
    [
      'record_crash',
      {
        ...crashInput({ id: jobId, attempt: 1, fence: 1 }, input, signature),
        ...readingOf(signature, distinction),
        id: `crash ${index}`,
        newGroupId: `group ${index}`,
        now: 34,
        hits: index + 1,
        context: '{"engine":"libfuzzer"}',
        report: `report ${index}`,
      },
    ] as const;
  const status = { groupId: 'group 0', note: 'n', by: 'ada', fixedIn: null, now: 36 };
  const decided = { by: 'ada', now: 37 };
  const webhook = { name: 'a', failing_since: 38, last_error: 'status 500' };
  const kinds = ['crash_group.new', 'crash_group.reopened', 'crash_group.fixed'];
  const notices = { cursor: 0, kinds, projects: [], limit: 10 };
  const into = { ...decided, intoGroupId: 'group 0' };
  return [
    ['find_crash_source', { lease, minimisedFrom: null }],
    crash(0, '1', 's', 's:1'),
    ['count_crash', { ...crash(0, '1', 's', 's:1')[1], limits: { crashes: 1, bytes: 10 } }],
    ['count_crash', { ...crash(9, '9', 's', 's:1')[1], limits: { crashes: 1, bytes: 10 } }],
    crash(1, '1', 's', 's:1'),
    crash(2, '2', 's', 's:2'),
    crash(3, '3', 't'),
    crash(4, '4', 'u'),
    ['find_crash_source', { lease, minimisedFrom: 'crash 0' }],
    ['report_crash_hits', { lease, hits: [{ crashId: 'crash 0', hits: 9 }], now: 35 }],
    ['report_crash_hits', { lease, hits: [{ crashId: 'crash 0', hits: 9 }], now: 36 }],
    ['get_crash', { id: 'crash 0', reproductions: 3 }],
    ...workStory,
    ['list_crashes', page],
    ['list_crashes', { ...page, groupId: 'group 0' }],
    ['list_crashes', { ...page, jobId }],
    ['list_crash_groups', groups],
    ['list_crash_groups', { ...groups, filter: here }],
    ['list_crash_groups', { ...groups, filter: { targetName: 'demo', text: 'segv' } }],
    ['list_crash_groups', { ...groups, filter: { project: 'default', since: 36 } }],
    ['list_crash_groups', { ...groups, filter: { status: 'new', newSince: 30 } }],
    ['get_crash_group', { id: 'group 0', similar: 5, builds: 5 }],
    ['set_crash_group_status', { ...status, status: 'fixed' }],
    ['set_crash_group_status', { ...status, status: null, note: 'm' }],
    ['set_crash_group_status', { ...status, status: 'fixed', fixedIn: target.sha256 }],
    crash(5, '5', 's', 's:3'),
    ['get_crash_group', { id: 'group 0', similar: 5, builds: 5 }],
    ['merge_crash_groups', { ...into, groups: [{ groupId: 'group 3', decisionId: 'd 1' }] }],
    ['merge_crash_groups', { ...into, groups: [{ groupId: 'group 4', decisionId: 'd 2' }] }],
    ['list_crash_groups', groups],
    ['undo_crash_decision', { ...decided, id: 'd 1' }],
    [
      'split_crash_group',
      {
        groupId: 'group 0',
        crashIds: ['crash 2'],
        newGroupId: 'group 6',
        decisionId: 'd 3',
        ...decided,
      },
    ],
    crash(7, '7', 's', 's:2'),
    ['list_target_decisions', here],
    ['undo_crash_decision', { ...decided, id: 'd 3' }],
    ['list_crash_decisions', page],
    ['list_crash_decisions', { ...page, groupId: 'group 0' }],
    ['next_crash_target', { project: '', targetName: '' }],
    ['next_crash_target', here],
    ['list_target_crashes', { ...here, afterId: '', limit: 10 }],
    ['list_crash_reports', ['crash 0', 'crash 2']],
    ['has_stale_crashes', 2],
    ['rewrite_crashes', [{ id: 'crash 0', ...readingOf('v'), message: 'new' }]],
    ['has_stale_crashes', 2],
    [
      'move_crashes',
      {
        ...here,
        moves: [
          { crashId: 'crash 0', from: 'group 0', to: 'group 8' },
          { crashId: 'crash 3', from: 'group 3', to: 'group 0' },
        ],
        signatures: [{ signature: 'v', groupId: 'group 8' }],
        distinctions: [{ distinction: 'd', groupId: 'group 8', decisionId: 'd 3' }],
        now: 38,
      },
    ],
    ['confirm_crashes', { ids: ['crash 0'], version: 3 }],
    ['list_crash_groups', groups],
    ['get_crash_group', { id: 'group 3', similar: 5, builds: 5 }],
    ['get_crash_group', { id: 'group 8', similar: 5, builds: 5 }],
    ['start_webhooks', ['b', 'a']],
    ['keep_webhook', { ...webhook, cursor: 5 }],
    ['keep_webhook', { ...webhook, name: 'b', cursor: 99 }],
    ['keep_webhook', { ...webhook, cursor: 98, failing_since: null, last_error: '' }],
    ['start_webhooks', ['c', 'b']],
    ['next_notice', notices],
    ['next_notice', { ...notices, cursor: 25, kinds: ['crash_group.fixed'] }],
    ['next_notice', { ...notices, kinds: ['crash_group.reopened'], limit: 2 }],
    ['next_notice', { ...notices, projects: ['other'] }],
    ['read_counters', null],
    [
      'find_ids',
      {
        from: '',
        to: 'z',
        limit: 3,
        resources: ['bot', 'job', 'crash', 'crash group', 'decision'],
      },
    ],
  ];
}
