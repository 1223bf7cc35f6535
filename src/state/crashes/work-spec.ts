import type { MasterConfig } from '../../config/schema.js';
import { defaultProject } from '../../core/project.js';
import { type CrashWorkInput, JobKind, JobSpec, Requirements } from '../../gen/pandafuzz/v1/job.js';
import type { BuildToVerify, CrashToRun } from '../../store/ops/crashes/work-sources.js';

/** Work on crashes has a share of the fleet of its own, beside those of fuzzing campaigns. */
export const crashCampaign = 'crashes';
/** Within that campaign, as people may add to it; the highest that they can is 1000. */
const priority = 100;
/**
 * After this long without another bot the finder may run its crash itself, seconds. Others
 * that are online have had a slot free by then, or are all fuzzing for long.
 */
const otherBotSeconds = 600;
/** Over the time limit of each run, for its start and its stack, seconds. */
const overheadSeconds = 5;
const shortestSeconds = 600;
const longestSeconds = 86_400;
const longestName = 128;
/** Engines that have a way to make inputs smaller. */
const minimisingEngines = new Set(['libfuzzer', 'aflplusplus']);

/** Whether the engine that found a crash can make its input smaller. */
export const canMinimise = (crash: Pick<CrashToRun, 'spec'> | undefined): boolean =>
  crash !== undefined && minimisingEngines.has(JobSpec.fromJSON(JSON.parse(crash.spec)).engine);

interface WorkSpec {
  readonly kind: JobKind;
  readonly name: string;
  readonly targetSha256: string;
  /** Absent: that of the fuzzing job. */
  readonly executable?: string;
  readonly inputs: readonly CrashWorkInput[];
  readonly runs: number;
  /** Of the whole job. */
  readonly seconds: number;
  /** Empty: any bot. */
  readonly otherThanBotId: string;
}

/** The crash's input again, on the build that it was found on. */
export function reproductionSpec(
  crash: CrashToRun,
  runs: number,
  otherThanBotId: string,
  defaults: MasterConfig['jobs'],
): JobSpec {
  return workSpec(crash.spec, defaults, (inputSeconds) => ({
    kind: JobKind.REPRODUCE,
    name: `reproduce ${titleOf(crash)}`,
    targetSha256: crash.targetSha256,
    inputs: [inputOf(crash)],
    runs,
    otherThanBotId,
    seconds: secondsFor(runs, inputSeconds),
  }));
}

/** A smaller input that crashes in the same way, on the build that the crash was found on. */
export function minimisationSpec(
  crash: CrashToRun,
  limits: { readonly runs: number; readonly seconds: number },
  defaults: MasterConfig['jobs'],
): JobSpec {
  return workSpec(crash.spec, defaults, () => ({
    kind: JobKind.MINIMISE,
    name: `minimise ${titleOf(crash)}`,
    targetSha256: crash.targetSha256,
    inputs: [inputOf(crash)],
    otherThanBotId: '',
    ...limits,
  }));
}

/** The reproducers of a target's groups, on one build of it. */
export function verificationSpec(
  { reproducers, spec }: BuildToVerify,
  {
    targetSha256,
    runs,
    executable,
  }: { readonly targetSha256: string; readonly runs: number; readonly executable?: string },
  defaults: MasterConfig['jobs'],
): JobSpec {
  return workSpec(spec, defaults, (inputSeconds) => ({
    kind: JobKind.VERIFY,
    ...(executable && { executable }),
    name: `verify build ${targetSha256.slice(0, 12)}`,
    targetSha256,
    inputs: reproducers.map(inputOf),
    runs,
    otherThanBotId: '',
    seconds: secondsFor(runs * reproducers.length, inputSeconds),
  }));
}

/** Of the fuzzing job: what bears on how the target runs, and which bots can run it. */
function workSpec(
  fuzzing: string,
  defaults: MasterConfig['jobs'],
  work: (inputSeconds: number) => WorkSpec,
): JobSpec {
  const spec = JobSpec.fromJSON(JSON.parse(fuzzing));
  const inputSeconds = spec.limits?.inputTimeoutSeconds || Math.ceil(defaults.input_timeout / 1000);
  const asked = work(inputSeconds);
  const { kind, name, targetSha256, inputs, runs, seconds, otherThanBotId } = asked;
  const { engine, targetName, environment } = spec;
  const executable = asked.executable ?? spec.executable;
  return JobSpec.create({
    kind,
    name,
    engine,
    targetSha256,
    targetName,
    executable,
    environment,
    priority,
    arguments: spec.arguments,
    project: spec.project || defaultProject,
    campaign: crashCampaign,
    maxAttempts: defaults.max_attempts,
    crashWork: { inputs: [...inputs], runs },
    requirements: { ...Requirements.create(spec.requirements), otherThanBotId },
    limits: {
      maxDurationSeconds: seconds,
      maxMemoryMib: spec.limits?.maxMemoryMib || Math.ceil(defaults.max_memory / 2 ** 20),
      inputTimeoutSeconds: inputSeconds,
      maxInputBytes: spec.limits?.maxInputBytes ?? defaults.max_input,
      maxCrashes: 0,
      maxDiskMib: spec.limits?.maxDiskMib,
      maxProcesses: spec.limits?.maxProcesses,
      network: spec.limits?.network,
    },
    ...(otherThanBotId !== '' && {
      timeouts: {
        scheduleToStartSeconds: otherBotSeconds,
        startToCloseSeconds: 0,
        scheduleToCloseSeconds: 0,
      },
    }),
  });
}

const inputOf = (crash: {
  readonly crashId: string;
  readonly inputSha256: string;
  readonly inputSizeBytes: number;
}): CrashWorkInput => ({
  crashId: crash.crashId,
  sha256: crash.inputSha256,
  sizeBytes: crash.inputSizeBytes,
});

const secondsFor = (runs: number, inputSeconds: number) =>
  Math.min(Math.max(runs * (inputSeconds + overheadSeconds), shortestSeconds), longestSeconds);

/** A line for people; what reports say may have any characters. */
function titleOf({ kind, topFrame }: CrashToRun): string {
  const title = topFrame === '' || topFrame === kind ? kind : `${kind} in ${topFrame}`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
  const line = title.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, ' ').toWellFormed();
  return line.slice(0, longestName - 12).toWellFormed();
}
