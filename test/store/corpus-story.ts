import { completeInput, jobInput, target } from './inputs.js';

const corpus = { project: 'default', targetName: 'demo' };
const unknown = { project: 'other', targetName: 'demo' };
const mergeJob = '00000000-0000-7000-8000-0000000000aa';
const pull = { ...corpus, cursor: 0, limit: 10, targetSha256: '', sha256s: [] };
const merge = { afterMs: null, isByGrowth: false };
const bounds = { entries: 100, bytes: 2 ** 20 };
const engines = ['libfuzzer', 'aflplusplus'];
const entry = (digit: string, sizeBytes: number) => ({
  sha256: digit.repeat(64),
  sizeBytes,
  origin: 'import',
});

/**
 * What befalls the corpus of a story: two inputs of a running job are in it, with d and e for
 * digits.
 *
 * @param jobId the job, attempt 1, fence 1
 */
export function corpusStory(
  jobId: string,
  botId: string,
): readonly (readonly [operation: string, input: unknown])[] {
  const lease = { jobId, attempt: 1, fence: 1 };
  const merging = { jobId: mergeJob, attempt: 1, fence: 1 };
  const claim = { botId, queues: [6], ttlMs: 1000, acknowledged: true, now: 34 };
  const finish = {
    ...merging,
    revision: 2,
    late: 0,
    before: { coverage: 3, features: 4 },
    after: { coverage: 3, features: 4 },
    now: 36,
  };
  return [
    ['get_corpus', corpus],
    ['get_corpus', unknown],
    ['list_corpus', pull],
    [
      'import_corpus',
      { ...corpus, entries: [entry('1', 7), entry('d', 4)], merge, bounds, now: 33 },
    ],
    [
      'put_aside',
      {
        ...lease,
        inputs: [
          { sha256: 'e'.repeat(64), sizeBytes: 5, reason: 'crash' },
          { sha256: 'e'.repeat(64), sizeBytes: 5, reason: 'slow' },
        ],
        now: 33,
      },
    ],
    ['list_put_aside', { ...corpus, targetSha256: target.sha256, cursor: 0, limit: 10 }],
    ['list_put_aside', { ...unknown, targetSha256: target.sha256, cursor: 0, limit: 10 }],
    ['list_corpus', { ...pull, targetSha256: target.sha256 }],
    ['list_corpus', { ...pull, sha256s: ['d'.repeat(64), 'f'.repeat(64)] }],
    ['list_corpus_entries', { ...corpus, cursor: 0, limit: 2 }],
    ['remove_corpus_entries', { ...corpus, sha256s: ['1111', 'ffff'], now: 33 }],
    ['due_merges', { now: 40, limit: 10 }],
    ['postpone_merge', { ...corpus, dueAt: 41 }],
    ['due_merges', { now: 40, limit: 10 }],
    ['find_merge_source', { ...corpus, engines }],
    ['find_merge_source', { ...unknown, engines }],
    [
      'make_merge',
      {
        ...corpus,
        job: {
          ...jobInput({ id: mergeJob, now: 33 }),
          kind: 'merge',
          requiredEngine: 'libfuzzer-merge',
          targetName: 'demo',
        },
      },
    ],
    ['claim_job', claim],
    ['show_corpus', corpus],
    ['show_corpus', unknown],
    ['keep_merged', { ...merging, sha256s: ['d'.repeat(64), 'f'.repeat(64)] }],
    ['import_corpus', { ...corpus, entries: [entry('2', 8)], merge, bounds, now: 35 }],
    ['finish_merge', { ...finish, cursor: 3 }],
    ['finish_merge', { ...finish, cursor: 3 }],
    ['has_ended_corpora', null],
    ['sweep_corpora', { limit: 100 }],
    ['sweep_corpora', { limit: 100 }],
    ['has_ended_corpora', null],
    ['list_corpora', { project: '', targetName: '', limit: 10 }],
    ['list_corpus_entries', { ...corpus, cursor: 0, limit: 10 }],
    ['complete_job', { ...completeInput({ id: mergeJob, attempt: 1, fence: 1 }), now: 37 }],
    ['reset_corpus', { ...corpus, fewest: 1000, now: 38 }],
    ['sweep_corpora', { limit: 100 }],
    ['sweep_corpora', { limit: 100 }],
    ['sweep_corpora', { limit: 100 }],
    ['sweep_corpora', { limit: 100 }],
    ['get_corpus', corpus],
  ];
}
