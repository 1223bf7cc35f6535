import { defaultProject } from '../../core/project.js';
import {
  Corpus,
  CorpusEntry,
  type CorpusKey,
  type CorpusMerge,
  CorpusOrigin,
  InputPutAside,
  PutAsideReason,
} from '../../gen/pandafuzz/v1/corpus_service.js';
import type { CorpusBounds } from '../../store/ops/corpus/add-corpus.js';
import type { CorpusOf } from '../../store/ops/corpus/corpus-of.js';
import type { ShownCorpus } from '../../store/ops/corpus/show-corpora.js';
import type {
  CorpusEntryDetails,
  CorpusOrigin as CorpusOriginName,
  MergeOnRecord,
  PutAsideReason as PutAsideReasonName,
  PutAsideRow,
} from '../../store/rows.js';
import { isProject, projectProblem } from './checks.js';
import { time } from './records.js';
import type { Violations } from './violations.js';

/** Rows of corpora as messages of the contract. */

/** Names a corpus; what is wrong with the names is noted in `found`. */
export function corpusOf(
  key: CorpusKey | undefined,
  found: Violations,
  path = { project: 'corpus.project', targetName: 'corpus.target_name' },
): CorpusOf {
  const { project = '', targetName = '' } = key ?? {};
  found
    .expect(isProject(project), path.project, projectProblem)
    .text(targetName, path.targetName, { min: 1, max: 128 });
  return { project: project || defaultProject, targetName };
}

const origins: Readonly<Record<CorpusOriginName, CorpusOrigin>> = {
  engine: CorpusOrigin.ENGINE,
  seeds: CorpusOrigin.SEEDS,
  import: CorpusOrigin.IMPORT,
};

/** Where an input comes from that a bot pushes; undefined for what is not the bot's to say. */
export function pushedOrigin(origin: CorpusOrigin): CorpusOriginName | undefined {
  if (origin === CorpusOrigin.UNSPECIFIED || origin === CorpusOrigin.ENGINE) return 'engine';
  return origin === CorpusOrigin.SEEDS ? 'seeds' : undefined;
}

export const entryRecord = (row: CorpusEntryDetails): CorpusEntry =>
  CorpusEntry.create({
    sha256: row.sha256,
    sizeBytes: row.size_bytes,
    origin: origins[row.origin],
    engine: row.engine,
    addedAt: time(row.added_at),
    jobId: row.job_id ?? '',
    cursor: row.sequence,
  });

export function corpusRecord(
  { corpus, sources, builds }: ShownCorpus,
  bounds: CorpusBounds,
): Corpus {
  const full = sources.filter(({ entries }) => entries > 0);
  const sum = (of: (one: { entries: number; bytes: number }) => number) =>
    full.reduce((total, one) => total + of(one), 0);
  const merge: MergeOnRecord | null = JSON.parse(corpus.last_merge ?? 'null');
  return Corpus.create({
    project: corpus.project,
    targetName: corpus.target_name,
    entries: sum(({ entries }) => entries),
    bytes: sum(({ bytes }) => bytes),
    sources: full.map((source) => ({ ...source, origin: origins[source.origin] })),
    builds: builds.map((build) => ({
      targetSha256: build.target_sha256,
      putAside: build.put_aside,
      lastAt: time(build.last_at),
    })),
    lastMerge: merge ? mergeRecord(merge) : undefined,
    mergingJobId: corpus.merging_job_id ?? '',
    revision: corpus.revision,
    maxEntries: bounds.entries,
    maxBytes: bounds.bytes,
  });
}

export const mergeRecord = (merge: MergeOnRecord): CorpusMerge => ({
  ...merge,
  at: time(merge.at),
});

const reasons: Readonly<Record<PutAsideReasonName, PutAsideReason>> = {
  crash: PutAsideReason.CRASH,
  slow: PutAsideReason.SLOW,
  memory: PutAsideReason.MEMORY,
};

/** @returns undefined for UNSPECIFIED and for values this version does not know */
export const putAsideReason = (reason: PutAsideReason): PutAsideReasonName | undefined =>
  (Object.keys(reasons) as PutAsideReasonName[]).find((name) => reasons[name] === reason);

export const putAsideRecord = (row: PutAsideRow): InputPutAside =>
  InputPutAside.create({
    sha256: row.sha256,
    sizeBytes: row.size_bytes,
    reason: reasons[row.reason],
    at: time(row.at),
    cursor: row.sequence,
  });
