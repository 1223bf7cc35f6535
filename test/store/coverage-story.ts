import { completeInput, jobInput, target } from './inputs.js';

const demo = { project: 'default', targetName: 'demo' };
const coverageJob = '00000000-0000-7000-8000-0000000000cc';
const file = {
  path: '/src/demo.c',
  lines: 10,
  coveredLines: 4,
  functions: 2,
  coveredFunctions: 1,
  regions: 7,
  coveredRegions: 3,
  sourceSha256: '',
  newLines: null,
  lostLines: null,
  detail: 'H4sIAAAAAAAAAwMAAAAAAAAAAAA=',
};

/** What befalls the coverage of a story: a build, and a report of two files. */
export function coverageStory(
  botId: string,
): readonly (readonly [operation: string, input: unknown])[] {
  const lease = { jobId: coverageJob, attempt: 1, fence: 1 };
  const job = {
    ...jobInput({ id: coverageJob, now: 33 }),
    kind: 'coverage',
    requiredEngine: 'coverage',
    targetName: 'demo',
  };
  const finish = {
    ...lease,
    ...{ inputs: 2, failedInputs: 1, tools: 'LLVM 14.0.6', note: '', revision: 1, cursor: 2 },
    ...{ dueAt: 99, now: 36 },
  };
  return [
    ['register_coverage', { ...demo, targetSha256: target.sha256, executable: '', now: 32 }],
    ['due_coverage', { now: 40, limit: 10 }],
    ['postpone_coverage', { ...demo, dueAt: 41 }],
    ['find_coverage_source', demo],
    ['make_coverage', { ...demo, job, dueAt: 98 }],
    ['make_coverage', { ...demo, job, dueAt: 98 }],
    ['claim_job', { botId, queues: [7], ttlMs: 1000, acknowledged: true, now: 34 }],
    ['find_coverage_base', { jobId: coverageJob, paths: [file.path] }],
    ['add_coverage_files', { ...lease, files: [file], baseId: null, now: 35 }],
    [
      'add_coverage_files',
      { ...lease, files: [file, { ...file, path: '/src/b.c' }], baseId: null, now: 35 },
    ],
    ['finish_coverage', finish],
    ['finish_coverage', finish],
    ['find_coverage_base', { jobId: coverageJob, paths: [file.path, '/src/no.c'] }],
    ['show_coverage', { ...demo, reportId: 0 }],
    ['show_coverage', { ...demo, reportId: 77 }],
    ['show_coverage_file', { ...demo, reportId: 0, path: file.path }],
    ['show_coverage_file', { ...demo, reportId: 0, path: '/src/no.c' }],
    ['list_coverage', { project: '', targetName: '', limit: 10 }],
    ['list_coverage', { project: 'default', targetName: '', limit: 10, isWithin: true }],
    ['find_coverage_source', demo],
    ['has_ended_coverage', null],
    ['sweep_coverage', { limit: 10 }],
    ['complete_job', { ...completeInput({ id: coverageJob, attempt: 1, fence: 1 }), now: 37 }],
  ];
}
