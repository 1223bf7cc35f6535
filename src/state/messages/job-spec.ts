import type { MasterConfig } from '../../config/schema.js';
import { isolationNamed } from '../../core/isolation.js';
import { defaultProject } from '../../core/project.js';
import { Isolation } from '../../gen/pandafuzz/v1/isolation.js';
import { JobKind, JobLimits, JobSpec } from '../../gen/pandafuzz/v1/job.js';

import { refusedArgument } from '../../target/arguments.js';
import { checkExecutable, isProject, projectProblem } from './checks.js';
import type { Violations } from './violations.js';

/**
 * Checks a job's spec and fills in the master's defaults.
 *
 * @throws ValidationError naming every bad field, those `found` before included
 */
export function completeSpec(
  given: JobSpec | undefined,
  defaults: MasterConfig['jobs'],
  found: Violations,
): JobSpec {
  const spec = given ?? JobSpec.create();
  const limits = spec.limits ?? JobLimits.create();
  if (given) check(spec, limits, defaults, found);
  else found.expect(false, 'spec', 'must be given');
  found.throwIfAny();
  return {
    ...spec,
    project: spec.project || defaultProject,
    maxAttempts: spec.maxAttempts || defaults.max_attempts,
    limits: {
      maxDurationSeconds: limits.maxDurationSeconds || Math.ceil(defaults.max_duration / 1000),
      maxMemoryMib: limits.maxMemoryMib || Math.ceil(defaults.max_memory / 2 ** 20),
      inputTimeoutSeconds: limits.inputTimeoutSeconds || Math.ceil(defaults.input_timeout / 1000),
      maxInputBytes: limits.maxInputBytes || defaults.max_input,
      maxCrashes: limits.maxCrashes,
      maxDiskMib: limits.maxDiskMib || Math.ceil(defaults.max_disk / 2 ** 20),
      maxProcesses: limits.maxProcesses || defaults.max_processes,
      network: limits.network ?? false,
    },
  };
}

const madeByMaster = 'must be left out: only the master makes jobs that work on crashes';

function check(
  spec: JobSpec,
  limits: JobLimits,
  defaults: MasterConfig['jobs'],
  found: Violations,
): void {
  found
    .text(spec.name, 'spec.name', { max: 128 })
    .expect(
      defaults.engines.includes(spec.engine),
      'spec.engine',
      `this master takes jobs for: ${defaults.engines.join(', ')}`,
    )
    .sha256(spec.targetSha256, 'spec.target_sha256')
    .text(spec.targetName, 'spec.target_name', { max: 128 })
    .whole(spec.priority, 'spec.priority', { min: -1000, max: 1000 })
    .whole(spec.maxAttempts, 'spec.max_attempts', { min: 0, max: 100 })
    .text(spec.campaign, 'spec.campaign', { max: 128 })
    .expect(isProject(spec.project), 'spec.project', projectProblem)
    .expect(spec.kind === JobKind.UNSPECIFIED, 'spec.kind', madeByMaster)
    .expect(spec.crashWork === undefined, 'spec.crash_work', madeByMaster);
  checkRequirements(spec, found);
  checkTimes(spec, found);
  if (spec.seedsSha256 !== '') found.sha256(spec.seedsSha256, 'spec.seeds_sha256');
  if (spec.dictionarySha256 !== '') found.sha256(spec.dictionarySha256, 'spec.dictionary_sha256');
  checkExecutable(spec.executable, 'spec.executable', found);
  const refusal = refusedArgument(spec.engine, spec.arguments);
  found.expect(refusal === undefined, 'spec.arguments', refusal ?? '');

  found.expect(spec.arguments.length <= 64, 'spec.arguments', 'must be at most 64');
  for (const [index, argument] of spec.arguments.slice(0, 64).entries()) {
    found.text(argument, `spec.arguments[${index}]`, { max: 1024 });
  }
  const environment = Object.entries(spec.environment);
  found.expect(environment.length <= 64, 'spec.environment', 'must have at most 64 entries');
  for (const [index, [name, value]] of environment.slice(0, 64).entries()) {
    const fine = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(name);
    found.expect(fine, `spec.environment (entry ${index + 1})`, 'must have a plain name');
    found.text(value, `spec.environment (entry ${index + 1})`, { max: 4096 });
  }
  found
    .whole(limits.maxDurationSeconds, 'spec.limits.max_duration_seconds', {
      min: 0,
      max: 2_592_000,
    })
    .expect(
      limits.maxMemoryMib === 0 || (limits.maxMemoryMib >= 16 && limits.maxMemoryMib <= 2 ** 20),
      'spec.limits.max_memory_mib',
      'must be a whole number from 16 to 1048576, or 0 for the default',
    )
    .whole(limits.inputTimeoutSeconds, 'spec.limits.input_timeout_seconds', { min: 0, max: 3600 })
    .whole(limits.maxInputBytes, 'spec.limits.max_input_bytes', { min: 0, max: 2 ** 20 })
    .whole(limits.maxCrashes, 'spec.limits.max_crashes', { min: 0, max: 1_000_000 })
    .expect(
      isWithin(limits.maxDiskMib, 16, 2 ** 30),
      'spec.limits.max_disk_mib',
      'must be a whole number from 16 to 1073741824, or 0 for the default',
    )
    .expect(
      isWithin(limits.maxProcesses, 16, 1_000_000),
      'spec.limits.max_processes',
      'must be a whole number from 16 to 1000000, or 0 for the default',
    );
}

/** Whether a limit is left out, or within its bounds. */
const isWithin = (value = 0, min: number, max: number): boolean =>
  value === 0 || (value >= min && value <= max);

/** A year, seconds. */
const longestTimeout = 31_536_000;

function checkTimes({ timeouts, notBefore }: JobSpec, found: Violations): void {
  const bounds = { min: 0, max: longestTimeout };
  const path = 'spec.timeouts';
  found
    .whole(timeouts?.scheduleToStartSeconds ?? 0, `${path}.schedule_to_start_seconds`, bounds)
    .whole(timeouts?.startToCloseSeconds ?? 0, `${path}.start_to_close_seconds`, bounds)
    .whole(timeouts?.scheduleToCloseSeconds ?? 0, `${path}.schedule_to_close_seconds`, bounds)
    .expect(
      notBefore === undefined || (notBefore.getTime() >= 0 && notBefore.getTime() < latestStart),
      'spec.not_before',
      'must be a time before the year 2100',
    );
}

const latestStart = Date.UTC(2100, 0, 1);

function checkRequirements({ requirements }: JobSpec, found: Violations): void {
  if (!requirements) return;
  const path = 'spec.requirements';
  const labels = Object.entries(requirements.labels);
  found
    .expect(labels.length <= 16, `${path}.labels`, 'must have at most 16 entries')
    .whole(requirements.memoryMib, `${path}.memory_mib`, { min: 0, max: 2 ** 30 })
    .whole(requirements.diskMib, `${path}.disk_mib`, { min: 0, max: 2 ** 30 });
  const { isolation = Isolation.UNSPECIFIED, otherThanBotId } = requirements;
  found.expect(
    isolation === Isolation.UNSPECIFIED || isolationNamed(isolation) !== undefined,
    `${path}.isolation`,
    'must be one of ISOLATION_NONE, ISOLATION_BASIC, ISOLATION_NAMESPACES and ISOLATION_FULL',
  );
  if (otherThanBotId !== '') found.id(otherThanBotId, `${path}.other_than_bot_id`);
  for (const [index, [key, value]] of labels.slice(0, 16).entries()) {
    found
      .text(key, `${path}.labels (key of entry ${index + 1})`, { min: 1, max: 63 })
      .text(value, `${path}.labels (value of entry ${index + 1})`, { max: 256 });
  }
}
