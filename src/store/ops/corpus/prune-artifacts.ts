import { writeOperation } from '../../operation.js';
import { flag, forUpdate } from '../../sql.js';
import { all, run, type Steps, statement } from '../../statement.js';
import { recordEvent } from '../events/record-event.js';

interface Slice {
  olderThan: number;
  limit: number;
}

/** What needs the bytes of an artifact. */
const isNeeded = `EXISTS (SELECT 1 FROM jobs WHERE target_sha256 = artifacts.sha256)
  OR EXISTS (SELECT 1 FROM jobs WHERE seeds_sha256 = artifacts.sha256)
  OR EXISTS (SELECT 1 FROM jobs WHERE dictionary_sha256 = artifacts.sha256)
  OR EXISTS (SELECT 1 FROM builds WHERE target_sha256 = artifacts.sha256)
  OR EXISTS (SELECT 1 FROM builds WHERE seeds_sha256 = artifacts.sha256)
  OR EXISTS (SELECT 1 FROM builds WHERE dictionary_sha256 = artifacts.sha256)
  OR EXISTS (SELECT 1 FROM campaign_builds WHERE target_sha256 = artifacts.sha256)
  OR EXISTS (SELECT 1 FROM campaign_builds WHERE seeds_sha256 = artifacts.sha256)
  OR EXISTS (SELECT 1 FROM campaign_builds WHERE dictionary_sha256 = artifacts.sha256)
  OR EXISTS (SELECT 1 FROM coverage_targets WHERE target_sha256 = artifacts.sha256)
  OR EXISTS (SELECT 1 FROM crash_work WHERE target_sha256 = artifacts.sha256)`;
const select = statement<Slice, { sha256: string; needed: 0 | 1 }>(`
  SELECT sha256, ${flag(isNeeded)} AS needed FROM artifacts WHERE used_at < @olderThan
  ORDER BY used_at, sha256 LIMIT @limit ${forUpdate()}`);
const touch = statement<{ sha256: string; now: number }>(
  'UPDATE artifacts SET used_at = @now WHERE sha256 = @sha256',
);
const remove = statement<{ sha256: string }>('DELETE FROM artifacts WHERE sha256 = @sha256');

/**
 * Looks at artifacts that were neither uploaded nor found in use since `olderThan`: those
 * that a job, a build, a campaign, coverage or work on crashes needs are in use now, the others are removed.
 *
 * @returns how many were looked at, `limit` at most, and how many of them removed
 */
export const pruneArtifacts = writeOperation(
  'prune_artifacts',
  'upkeep',
  function* (input: Slice & { now: number }): Steps<{ looked: number; removed: number }> {
    const { now } = input;
    const old = yield* all(select, input);
    let removed = 0;
    for (const { sha256, needed } of old) {
      if (needed === 1) {
        yield* run(touch, { sha256, now });
        continue;
      }
      yield* run(remove, { sha256 });
      yield* recordEvent(now, 'artifact.removed', sha256);
      removed += 1;
    }
    return { looked: old.length, removed };
  },
);
