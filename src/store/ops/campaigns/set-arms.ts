import { trialRuns } from '../../campaign-sums.js';
import { all, run, type Steps, statement } from '../../statement.js';
import { queueOf, type Requirements } from '../jobs/queue-of.js';
import { type ArtifactsOfJob, expectArtifacts } from '../targets/find-uses.js';
import { forgetMeetings } from './meet-groups.js';

/** A build of a campaign as the spec has it. */
export interface NewArm extends ArtifactsOfJob, Requirements {
  build: string;
  /** CampaignBuild as protobuf JSON, with sorted keys. */
  spec: string;
}

interface Arm {
  campaignId: string;
  build: string;
  position: number;
  queueId: number;
  now: number;
}

/** Builds that others took over from, of one campaign. */
const mostEarlier = 100;

interface Present {
  build: string;
  revision: number;
  target_sha256: string;
  spec: string;
}

interface Key {
  campaignId: string;
  build: string;
}

const presentBuilds = statement<{ campaignId: string }, Present>(`
  SELECT build, revision, target_sha256, spec FROM campaign_builds
  WHERE campaign_id = @campaignId AND until IS NULL`);
const retire = statement<Key & { now: number }>(`
  UPDATE campaign_builds SET until = @now
  WHERE campaign_id = @campaignId AND build = @build AND until IS NULL`);
const addBuild = statement<Key & ArtifactsOfJob & { revision: number; spec: string; now: number }>(`
  INSERT INTO campaign_builds (campaign_id, build, revision, target_sha256, seeds_sha256,
    dictionary_sha256, spec, since, until)
  VALUES (@campaignId, @build, @revision, @targetSha256, @seedsSha256, @dictionarySha256,
    @spec, @now, NULL)`);
const tooEarly = statement<
  { campaignId: string; most: number },
  { build: string; revision: number }
>(`
  SELECT build, revision FROM campaign_builds
  WHERE campaign_id = @campaignId AND until IS NOT NULL
  ORDER BY until DESC, build DESC LIMIT 100 OFFSET @most`);
const forgetBuild = statement<Key & { revision: number }>(`
  DELETE FROM campaign_builds
  WHERE campaign_id = @campaignId AND build = @build AND revision = @revision`);
const keepArm = statement<Arm>(`
  INSERT INTO campaign_arms (campaign_id, build, position, queue_id, since)
  VALUES (@campaignId, @build, @position, @queueId, @now)
  ON CONFLICT (campaign_id, build) DO UPDATE SET
    position = excluded.position, queue_id = excluded.queue_id`);
/** What the earlier build found says half as much about the new one. */
const renewed = statement<Key & { now: number; trial: number }>(`
  UPDATE campaign_arms SET since = @now, trial_left = @trial, recent_found = recent_found / 2,
    recent_hits = recent_hits / 2, recent_ms = recent_ms / 2,
    recent_runs = recent_runs / 2, overheads = '[]'
  WHERE campaign_id = @campaignId AND build = @build`);
const release = statement<{ campaignId: string }>(`
  UPDATE campaign_arms SET short_runs = 0, held_until = NULL, hold_ms = 0, hold_why = ''
  WHERE campaign_id = @campaignId AND short_runs > 0`);
const leaveAll = statement<{ campaignId: string }>(`
  UPDATE campaign_arms SET position = NULL, queue_id = NULL WHERE campaign_id = @campaignId`);

const forgetLeft = statement<{ campaignId: string }>(
  'DELETE FROM campaign_arms WHERE campaign_id = @campaignId AND position IS NULL',
);

/** What changed of the builds, in words for people. */
export type BuildChanges = string[];

/**
 * Makes these the builds of a campaign, whose row is locked. A build whose artifact is
 * another one takes over from the one of its name.
 *
 * @throws NotFoundError for an artifact that was not uploaded
 */
export function* setArms(
  campaign: { campaignId: string; revision: number; now: number },
  arms: readonly NewArm[],
): Steps<BuildChanges> {
  const { campaignId, revision, now } = campaign;
  const before = yield* all(presentBuilds, { campaignId });
  const changes: BuildChanges = [];
  yield* run(leaveAll, { campaignId });
  for (const [position, arm] of arms.entries()) {
    yield* expectArtifacts(arm);
    const queue = yield* queueOf(arm);
    const key = { campaignId, build: arm.build, now };
    yield* run(keepArm, { ...key, position, queueId: queue.id });
    const present = before.find(({ build }) => build === arm.build);
    if (present?.spec === arm.spec) continue;
    if (present) yield* run(retire, key);
    yield* run(addBuild, { ...arm, ...key, revision });
    if (present?.target_sha256 === arm.targetSha256) {
      changes.push(`build ${arm.build} changed`);
      continue;
    }
    yield* run(renewed, { ...key, trial: trialRuns });
    yield* forgetMeetings(campaignId, revision);
    changes.push(describe(arm, present));
  }
  for (const { build } of before) {
    if (arms.some((arm) => arm.build === build)) continue;
    yield* run(retire, { campaignId, build, now });
    changes.push(`build ${build} removed`);
  }
  yield* run(forgetLeft, { campaignId });
  yield* forgetEarliest(campaignId);
  return changes;
}

function* forgetEarliest(campaignId: string): Steps<void> {
  for (const old of yield* all(tooEarly, { campaignId, most: mostEarlier })) {
    yield* run(forgetBuild, { campaignId, ...old });
  }
}

/** Its builds are held no more. */
export const releaseArms = (campaignId: string) => run(release, { campaignId });

/** Nothing is made by its builds any more; their queues may go. */
export const leaveArms = (campaignId: string) => run(leaveAll, { campaignId });

const short = (sha256: string) => sha256.slice(0, 12);

const describe = (arm: NewArm, present: Present | undefined): string =>
  present
    ? `build ${arm.build}: ${short(arm.targetSha256)} takes over from ${short(present.target_sha256)}`
    : `build ${arm.build} added: ${short(arm.targetSha256)}`;
