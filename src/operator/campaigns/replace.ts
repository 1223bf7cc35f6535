import { UserError } from '../../core/errors.js';
import type { CampaignBuild } from '../../gen/pandafuzz/v1/campaign_service.js';
import { usage } from '../exit-codes.js';

/**
 * Puts new builds in the place of those that they are for: the one that is named, or the only
 * one of the same engine (and sanitizer, where one is given). Others are added.
 *
 * @throws UserError when it is not clear which one a build replaces
 */
export function replaceBuilds(
  present: readonly CampaignBuild[],
  fresh: readonly CampaignBuild[],
  named: string | undefined,
): CampaignBuild[] {
  if (named !== undefined && fresh.length > 1) {
    throw new UserError('--build names one build: bring one target with it', usage);
  }
  const builds = [...present];
  for (const build of fresh) {
    const at = placeOf(builds, build, named);
    const old = builds[at];
    if (old) builds[at] = renewed(old, build);
    else builds.push({ ...build, name: named ?? '' });
  }
  return builds;
}

function placeOf(
  builds: readonly CampaignBuild[],
  build: CampaignBuild,
  named: string | undefined,
): number {
  if (named !== undefined) return builds.findIndex(({ name }) => name === named);
  const isAlike = (old: CampaignBuild) =>
    old.engine === build.engine && (build.sanitizer === '' || old.sanitizer === build.sanitizer);
  const alike = builds.filter(isAlike);
  if (alike.length > 1) {
    const names = alike.map(({ name }) => name).join(', ');
    throw new UserError(`the campaign has several builds for it: name one with --build (${names})`);
  }
  return builds.findIndex(isAlike);
}

/** The new artifact under what the old build was set up with. */
const renewed = (old: CampaignBuild, build: CampaignBuild): CampaignBuild => ({
  ...old,
  engine: build.engine,
  sanitizer: build.sanitizer || old.sanitizer,
  targetSha256: build.targetSha256,
  executable: build.executable,
  seedsSha256: build.seedsSha256 || old.seedsSha256,
  dictionarySha256: build.dictionarySha256 || old.dictionarySha256,
});

/** The builds without those that are named. @throws UserError for a name that is none of theirs */
export function withoutBuilds(
  builds: readonly CampaignBuild[],
  names: readonly string[],
): CampaignBuild[] {
  for (const name of names) expectBuild(builds, name);
  const left = builds.filter(({ name }) => !names.includes(name));
  if (left.length === 0) throw new UserError('a campaign has one build at least', usage);
  return left;
}

/** The builds with these parts of the CPU time, in percent; 0 unpins one. @throws UserError */
export function pinned(
  builds: readonly CampaignBuild[],
  pins: Readonly<Record<string, string>>,
): CampaignBuild[] {
  for (const name of Object.keys(pins)) expectBuild(builds, name);
  return builds.map((build) => {
    const pin = pins[build.name || build.engine];
    return pin === undefined ? build : { ...build, pinnedPercent: percent(pin) };
  });
}

function percent(text: string): number {
  const value = Number(text.replace(/%$/, ''));
  if (Number.isInteger(value) && value >= 0 && value <= 100) return value;
  throw new UserError(`--pin: ${text} must be a whole number of percent from 0 to 100`, usage);
}

function expectBuild(builds: readonly CampaignBuild[], name: string): void {
  const names = builds.map((build) => build.name || build.engine);
  if (names.includes(name)) return;
  throw new UserError(`there is no build ${name}: there are ${names.join(', ')}`, usage);
}
