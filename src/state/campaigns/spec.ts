import type { MasterConfig } from '../../config/schema.js';
import { canonicalJson } from '../../core/canonical-json.js';
import { ValidationError } from '../../core/errors.js';
import { defaultProject } from '../../core/project.js';
import {
  CampaignBuild,
  CampaignPolicy,
  CampaignSharing,
  CampaignSpec,
} from '../../gen/pandafuzz/v1/campaign_service.js';
import type { NewArm } from '../../store/ops/campaigns/set-arms.js';

import { isProject, projectProblem } from '../messages/checks.js';
import { jobInput } from '../messages/job-input.js';
import { completeSpec } from '../messages/job-spec.js';
import { Violations } from '../messages/violations.js';
import { keyOf, runSpec } from './run-spec.js';
import { nextEdge, windowProblems } from './windows.js';

/** Builds of one campaign. */
const mostBuilds = 20;
const mostHours = 100_000_000;
const latestTime = Date.UTC(2100, 0, 1);
/** Fuzzing of a run, seconds. */
const shortestRun = 10;
const longestRun = 86_400;
const nameProblem = "must be 1 to 63 letters, digits, '.', '_' or '-'";
const buildNameProblem = "must be 1 to 64 letters, digits, '.', '_' or '-'";

/**
 * Checks a campaign's spec and fills in what it leaves open.
 *
 * @throws ValidationError naming every bad field, those `found` before included
 */
export function completeCampaignSpec(
  given: CampaignSpec | undefined,
  defaults: MasterConfig['jobs'],
  found: Violations,
): CampaignSpec {
  const spec = filledIn(given ?? CampaignSpec.create());
  if (given) check(spec, found);
  else found.expect(false, 'spec', 'must be given');
  for (const [index, build] of spec.builds.slice(0, mostBuilds).entries()) {
    checkRun(spec, { build, index }, { defaults, found });
  }
  found.throwIfAny();
  return spec;
}

function filledIn(given: CampaignSpec): CampaignSpec {
  const taken = new Set(given.builds.map(({ name }) => name));
  return {
    ...given,
    project: given.project || defaultProject,
    targetName: given.targetName || given.name,
    weight: given.weight || 1,
    sharing: given.sharing || CampaignSharing.BY_RETURN,
    builds: given.builds.map((build) => ({ ...build, name: build.name || newName(build, taken) })),
  };
}

/** The engine with the sanitizer, and a number where another build has that name. */
function newName({ engine, sanitizer }: CampaignBuild, taken: Set<string>): string {
  const plain = [engine, sanitizer.replace(/[,+]/g, '-')].filter(Boolean).join('-');
  let name = plain;
  for (let number = 2; taken.has(name); number++) name = `${plain}-${number}`;
  taken.add(name);
  return name;
}

function check(spec: CampaignSpec, found: Violations): void {
  const { until, builds, notBefore, limits } = spec;
  found
    .expect(isProject(spec.project), 'spec.project', projectProblem)
    .expect(/^[A-Za-z0-9._-]{1,63}$/.test(spec.name), 'spec.name', nameProblem)
    .expect(
      builds.length >= 1 && builds.length <= mostBuilds,
      'spec.builds',
      `must be 1 to ${mostBuilds}`,
    )
    .whole(spec.weight, 'spec.weight', { min: 1, max: 1000 })
    .whole(spec.maxParallel, 'spec.max_parallel', { min: 0, max: 1_000_000 })
    .expect(
      spec.runSeconds === 0 || (spec.runSeconds >= shortestRun && spec.runSeconds <= longestRun),
      'spec.run_seconds',
      `must be ${shortestRun} to ${longestRun}, or 0: by itself`,
    )
    .expect(spec.sharing in CampaignSharing, 'spec.sharing', 'must be a CampaignSharing')
    .expect(isHours(until?.cpuHours ?? 0), 'spec.until.cpu_hours', hoursProblem)
    .expect(isHours(until?.quietCpuHours ?? 0), 'spec.until.quiet_cpu_hours', hoursProblem)
    .expect(isTime(until?.at), 'spec.until.at', timeProblem)
    .expect(isTime(notBefore), 'spec.not_before', timeProblem)
    .expect(
      !limits?.maxDurationSeconds,
      'spec.limits.max_duration_seconds',
      'must be 0: run_seconds is how long a run fuzzes',
    )
    .expect(
      !limits?.maxCrashes,
      'spec.limits.max_crashes',
      'must be 0: until.first_crash ends a campaign at a crash',
    );
  for (const [field, problem] of windowProblems(spec)) {
    found.expect(false, `spec.${field}`, problem);
  }
  for (const [name, value] of Object.entries(spec.policies ?? {})) {
    found.expect(value in CampaignPolicy, `spec.policies.${name}`, 'must be a CampaignPolicy');
  }
  const names = new Set(builds.map(({ name }) => name));
  found.expect(names.size === builds.length, 'spec.builds', 'must have names of their own');
  const pinned = builds.reduce((sum, { pinnedPercent }) => sum + pinnedPercent, 0);
  found.expect(pinned <= 100, 'spec.builds', 'may pin 100 percent together at most');
  for (const [index, build] of builds.slice(0, mostBuilds).entries()) {
    const path = `spec.builds[${index}]`;
    found
      .expect(/^[A-Za-z0-9._-]{1,64}$/.test(build.name), `${path}.name`, buildNameProblem)
      .expect(
        /^[A-Za-z0-9_,+-]{0,32}$/.test(build.sanitizer),
        `${path}.sanitizer`,
        "must be up to 32 letters, digits, '_', '-', ',' or '+'",
      )
      .whole(build.pinnedPercent, `${path}.pinned_percent`, { min: 0, max: 100 });
  }
}

const hoursProblem = `must be a number from 0 to ${mostHours}`;
const isHours = (hours: number) => Number.isFinite(hours) && hours >= 0 && hours <= mostHours;
const timeProblem = 'must be a time before the year 2100';
const isTime = (time: Date | undefined) =>
  time === undefined || (time.getTime() >= 0 && time.getTime() < latestTime);

/** Fields of a run that a build has of its own, by their names in JobSpec. */
const ofBuild = /^spec\.(engine|target_sha256|executable|seeds_sha256|dictionary_sha256)/;

/** What the job of a run would be refused for, under the names of the campaign's fields. */
function checkRun(
  spec: CampaignSpec,
  { build, index }: { build: CampaignBuild; index: number },
  { defaults, found }: { defaults: MasterConfig['jobs']; found: Violations },
): void {
  const job = runSpec(spec, build, spec.runSeconds || shortestRun);
  try {
    completeSpec({ ...job, name: '', campaign: '' }, defaults, new Violations());
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    for (const { path, problem } of error.fields.violations) {
      const isOwn = ofBuild.test(path) || build.arguments.length > 0;
      const place = isOwn ? path.replace(/^spec\./, `spec.builds[${index}].`) : path;
      if (isOwn || index === 0) found.expect(false, place, problem);
    }
  }
}

/** A spec as the store keeps it: weight and limit are those of its key. */
export const storedSpec = (spec: CampaignSpec): string =>
  canonicalJson(CampaignSpec.toJSON({ ...spec, weight: 0, maxParallel: 0 }));

/** Its builds as the store keeps them. */
export const storedArms = (spec: CampaignSpec): NewArm[] =>
  spec.builds.map((build) => {
    const job = jobInput(runSpec(spec, build, shortestRun), { id: '', requestId: null, now: 0 });
    return {
      build: build.name,
      spec: canonicalJson(CampaignBuild.toJSON(build)),
      targetSha256: build.targetSha256,
      seedsSha256: job.seedsSha256,
      dictionarySha256: job.dictionarySha256,
      campaign: keyOf(spec),
      requiredEngine: job.requiredEngine,
      labels: job.labels,
      memoryMib: job.memoryMib,
      diskMib: job.diskMib,
      otherThanBotId: job.otherThanBotId,
    };
  });

/**
 * When time alone changes what a campaign does.
 *
 * @param heldUntil of its builds that are held
 */
export function dueAtOf(
  spec: CampaignSpec,
  now: number,
  heldUntil: readonly (number | null)[] = [],
): number | null {
  const { notBefore, until } = spec;
  const begins = notBefore?.getTime() ?? 0;
  if (begins > now) return begins;
  const edge = nextEdge(spec, now) ?? Number.POSITIVE_INFINITY;
  const later = heldUntil.filter((time): time is number => time !== null && time > now);
  const end = until?.at?.getTime() ?? Number.POSITIVE_INFINITY;
  const earliest = Math.min(end, edge, ...later);
  return Number.isFinite(earliest) ? earliest : null;
}
