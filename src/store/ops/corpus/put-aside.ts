import { pageOperation, writeOperation } from '../../operation.js';
import type { PutAsideReason, PutAsideRow } from '../../rows.js';
import { one, page, run, runEach, type Steps, statement } from '../../statement.js';
import { type CorpusOf, corpusToAddTo, findCorpus } from './corpus-of.js';
import { heldJob, type LeaseOf } from './holder.js';
import { mostBuilds } from './show-corpora.js';

/** Inputs that are put aside for one build; its corpus is of little use to it then. */
const mostInputs = 20_000;

interface NewInput {
  sha256: string;
  sizeBytes: number;
  reason: PutAsideReason;
}

interface Build {
  corpusId: number;
  targetSha256: string;
}

const build = statement<Build, { id: number; put_aside: number }>(`
  SELECT id, put_aside FROM corpus_builds
  WHERE corpus_id = @corpusId AND target_sha256 = @targetSha256 AND ended = 0`);
const newBuild = statement<Build & { now: number }>(`
  INSERT INTO corpus_builds (corpus_id, target_sha256, put_aside, last_at)
  VALUES (@corpusId, @targetSha256, 0, @now) ON CONFLICT DO NOTHING`);
/** Of builds that are no longer fuzzed, the oldest. */
const oldBuilds = statement<{ corpusId: number; kept: number }, { id: number }>(`
  SELECT id FROM corpus_builds WHERE corpus_id = @corpusId AND ended = 0
  ORDER BY id DESC LIMIT 1 OFFSET @kept`);
const endBuild = statement<{ id: number }>('UPDATE corpus_builds SET ended = 1 WHERE id = @id');
const insert = statement<NewInput & { buildId: number; now: number }>(`
  INSERT INTO corpus_put_aside (build_id, sha256, size_bytes, reason, at)
  VALUES (@buildId, @sha256, @sizeBytes, @reason, @now)
  ON CONFLICT (build_id, sha256) DO NOTHING`);
const count = statement<{ id: number; added: number; now: number }>(`
  UPDATE corpus_builds SET put_aside = put_aside + @added, last_at = @now WHERE id = @id`);
const after = statement<{ buildId: number; cursor: number; limit: number }, PutAsideRow>(`
  SELECT sequence, sha256, size_bytes, reason, at FROM corpus_put_aside
  WHERE build_id = @buildId AND sequence > @cursor ORDER BY sequence LIMIT @limit`);

/**
 * Puts inputs aside for the build of the lease's job.
 *
 * @returns how many were new
 * @throws StaleLeaseError, NotFoundError (job)
 */
export const putAside = writeOperation(
  'put_aside',
  'result',
  function* (input: LeaseOf & { inputs: readonly NewInput[]; now: number }): Steps<number> {
    const { inputs, now } = input;
    const job = yield* heldJob(input);
    const corpus = yield* corpusToAddTo({ project: job.project, targetName: job.target_name });
    const of = { corpusId: corpus.id, targetSha256: job.target_sha256 };
    const known = (yield* one(build, of)) ?? (yield* beginBuild(of, now));
    const room = Math.max(mostInputs - known.put_aside, 0);
    const rows = inputs.slice(0, room).map((one) => ({ ...one, buildId: known.id, now }));
    const added = rows.length > 0 ? yield* runEach(insert, rows) : 0;
    if (added > 0) yield* run(count, { id: known.id, added, now });
    return added;
  },
);

function* beginBuild(of: Build, now: number): Steps<{ id: number; put_aside: number }> {
  yield* run(newBuild, { ...of, now });
  const old = yield* one(oldBuilds, { corpusId: of.corpusId, kept: mostBuilds });
  if (old) yield* run(endBuild, old);
  return (yield* one(build, of)) as { id: number; put_aside: number };
}

/** Inputs that are put aside for a build, after `cursor`. */
export const listPutAside = pageOperation(
  'list_put_aside',
  function* (
    keys: CorpusOf & { targetSha256: string; cursor: number; limit: number },
  ): Steps<PutAsideRow[]> {
    const corpus = yield* findCorpus(keys);
    if (!corpus) return [];
    const found = yield* one(build, { corpusId: corpus.id, targetSha256: keys.targetSha256 });
    if (!found) return [];
    return yield* page(after, { buildId: found.id, cursor: keys.cursor, limit: keys.limit });
  },
);
