import { Command, Option } from 'commander';
import { isolationNumber } from '../core/isolation.js';
import type { TimeWindow } from '../core/time-windows.js';
import type { CampaignWishes } from '../operator/campaigns/change.js';
import {
  hoursOption,
  ofProject,
  type PolicyWishes,
  policyOption,
  windowOption,
} from './campaign-options.js';
import {
  aroundDashes,
  durationOption,
  moment,
  type OperatorFlags,
  pair,
  projectOption,
  several,
  wholeOption,
  withOperatorFlags,
} from './flags.js';
import {
  type BotFlags,
  type InputFlags,
  mib,
  seconds,
  withBotOptions,
  withInputOptions,
} from './run-options.js';
import { expectNoDict } from './target-options.js';

interface Flags extends OperatorFlags, InputFlags, BotFlags {
  readonly engine?: string;
  readonly sanitizer?: string;
  readonly bundle?: string;
  readonly target?: string;
  readonly targetName?: string;
  readonly seeds?: string[];
  readonly dict?: string;
  readonly check: boolean;
  readonly project?: string;
  readonly weight?: number;
  readonly maxParallel?: number;
  readonly runTime?: number;
  readonly sharing?: 'by-return' | 'even';
  readonly pin?: Record<string, string>;
  readonly untilCpuHours?: number;
  readonly untilQuiet?: number;
  readonly until?: Date;
  readonly untilCrash?: boolean;
  readonly notBefore?: Date;
  readonly window?: TimeWindow[];
  readonly timeZone?: string;
  readonly policy?: PolicyWishes;
  readonly coverageBuild?: string;
  readonly coverageSources?: string;
}

const createExamples = `
Each target is a build of the campaign: bring one for each engine and sanitizer.
They share one corpus. Without --until… it goes on until it is paused or archived.

Examples:
  $ pandafuzz campaign create png ./png_fuzzer --seeds ./corpus
  $ pandafuzz campaign create png ./png_fuzzer ./png_afl --weight 3
  $ pandafuzz campaign create png --bundle ./out png_fuzzer --until-cpu-hours 100
  $ pandafuzz campaign create png --target png_fuzzer --until-quiet 24
  $ pandafuzz campaign create png --target png_fuzzer --window "mon-fri 20:00-07:00"
  $ pandafuzz campaign create png ./png_fuzzer --run-time 20m -- -use_value_profile=1`;

export function campaignCreateCommand(): Command {
  const command = new Command('create')
    .summary('keep fuzzing a target')
    .description('Makes a campaign, which begins at once. Uploads its targets and seeds.')
    .argument('<campaign>', 'its name')
    .argument('[targets...]', 'executables to fuzz; with --bundle, their paths in the bundle')
    .option('--target-name <text>', "the target's name across builds (default: its file name)");
  withWishes(command);
  command
    .addOption(projectOption('namespace of campaign and target (default: "default")'))
    .addHelpText('after', createExamples)
    .action(async (_name: unknown, _targets: unknown, flags: Flags, self: Command) => {
      const { before, behind } = aroundDashes(self.args);
      const [name = '', ...paths] = before;
      expectNoDict(behind, self);
      const { createCampaign } = await import('../operator/campaigns/change.js');
      const wishes = wishesOf(flags, { paths, engineArguments: behind });
      await createCampaign(flags, name, { ...wishes, targetName: flags.targetName ?? '' });
    });
  return withOperatorFlags(command);
}

const updateExamples = `
What is not given stays. A new target takes over from the build of the same engine
(and sanitizer) at the next run; a target of another engine is added. Crashes are
tried on the new build, and the corpus is merged, as master.yaml wants it.

Examples:
  $ pandafuzz campaign update png --target ./png_fuzzer-2
  $ pandafuzz campaign update png ./png_afl --sanitizer address
  $ pandafuzz campaign update png --weight 5 --pin libfuzzer=40%
  $ pandafuzz campaign update png --until-cpu-hours 0 --remove-build aflplusplus`;

type UpdateFlags = Flags & { readonly build?: string; readonly removeBuild?: string[] };

export function campaignUpdateCommand(): Command {
  const command = new Command('update')
    .summary('change a campaign, or bring new builds')
    .description('Changes a campaign. Runs under way end as they began; the next are by the new.')
    .argument('<campaign>', 'its name or id')
    .argument('[targets...]', 'new executables; with --bundle, their paths in the bundle')
    .option('--build <name>', 'the build that the new target is for')
    .addOption(
      new Option('--remove-build <name>', 'run it no more; may be repeated').argParser(several),
    );
  withWishes(command);
  command
    .addOption(ofProject())
    .addHelpText('after', updateExamples)
    .action(async (_name: unknown, _targets: unknown, flags: UpdateFlags, self: Command) => {
      const { before, behind } = aroundDashes(self.args);
      const [name = '', ...paths] = before;
      expectNoDict(behind, self);
      const { updateCampaign } = await import('../operator/campaigns/change.js');
      const wishes = wishesOf(flags, { paths, engineArguments: behind });
      const { build, removeBuild: removed = [] } = flags;
      await updateCampaign(flags, name, { ...wishes, removed, ...(build && { build }) });
    });
  return withOperatorFlags(command);
}

/** Options that both commands have. */
function withWishes(command: Command): void {
  command
    .option('--bundle <path>', 'a folder or an archive with the executables in it')
    .option('--target <what>', 'a target that the master knows, or an executable')
    .option('--engine <name>', 'fuzzing engine (default: what each target is built for)')
    .option('--sanitizer <name>', 'what the targets are built with, for people')
    .addOption(
      new Option(
        '--seeds <path>',
        'folder, file or archive of seed inputs; may be repeated',
      ).argParser(several),
    )
    .option('--dict <file>', 'dictionary, for engines that take one')
    .option('--no-check', 'send targets and dictionary without a look at them')
    .addOption(wholeOption('--weight', 'share of the fleet, 1 to 1000', 1, 1000))
    .addOption(wholeOption('--max-parallel', 'most runs at once; 0: no limit', 0, 1_000_000))
    .addOption(
      durationOption('--run-time', 'fuzzing of each run (default: 10 to 60 min)', '10s', '24h'),
    )
    .addOption(
      new Option('--sharing <way>', 'how CPU time is divided over the builds').choices([
        'by-return',
        'even',
      ]),
    )
    .addOption(
      new Option('--pin <build=percent>', 'CPU time of a build whatever it finds').argParser(pair),
    )
    .addOption(hoursOption('--until-cpu-hours', 'end after these CPU hours; 0: no such end'))
    .addOption(hoursOption('--until-quiet', 'end after CPU hours without a find; 0: no such end'))
    .addOption(new Option('--until <time>', 'end at this time').argParser(moment))
    .option('--until-crash', 'end at the first crash')
    .option('--no-until-crash', 'do not end at a crash')
    .addOption(
      new Option('--not-before <time>', 'begin then, such as 2030-01-31T22:00Z').argParser(moment),
    )
    .addOption(windowOption())
    .option('--time-zone <name>', 'of the windows, such as Europe/Berlin (default: that of here)')
    .addOption(policyOption())
    .option('--coverage-build <file>', 'measures source coverage: see "coverage run --help"')
    .option('--coverage-sources <folder>', 'sources that go along with it');
  withBotOptions(withInputOptions(command));
}

/** Windows are by the clock on the wall of who makes them, unless they say otherwise. */
function timeZoneOf({ window = [], timeZone }: Flags): string | undefined {
  if (timeZone !== undefined || window.length === 0) return timeZone;
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

function wishesOf(
  flags: Flags,
  { paths, engineArguments }: { paths: string[]; engineArguments: string[] },
): CampaignWishes {
  const { bundle, target, engine, sanitizer, dict: dictionary } = flags;
  return {
    builds: {
      paths,
      isChecked: flags.check,
      project: flags.project ?? '',
      ...(bundle !== undefined && { bundle }),
      ...(target !== undefined && { target }),
      ...(engine !== undefined && { engine }),
      ...(sanitizer !== undefined && { sanitizer }),
    },
    seeds: flags.seeds ?? [],
    ...(dictionary !== undefined && { dictionary }),
    pins: flags.pin ?? {},
    policies: flags.policy ?? {},
    ...(flags.coverageBuild !== undefined && {
      coverage: {
        program: flags.coverageBuild,
        ...(flags.coverageSources !== undefined && { sources: flags.coverageSources }),
      },
    }),
    sharing: flags.sharing,
    spec: {
      arguments: engineArguments.length > 0 ? engineArguments : undefined,
      environment: flags.env,
      weight: flags.weight,
      maxParallel: flags.maxParallel,
      runSeconds: seconds(flags.runTime),
      notBefore: flags.notBefore,
      windows: flags.window,
      timeZone: timeZoneOf(flags),
    },
    limits: {
      maxMemoryMib: mib(flags.memory),
      inputTimeoutSeconds: seconds(flags.inputTimeout),
      maxInputBytes: flags.maxInput,
      maxDiskMib: mib(flags.maxDisk),
      maxProcesses: flags.maxProcesses,
      network: flags.network,
    },
    requirements: {
      labels: flags.requireLabel,
      memoryMib: mib(flags.requireMemory),
      diskMib: mib(flags.requireDisk),
      isolation: flags.isolation && isolationNumber(flags.isolation),
    },
    until: {
      cpuHours: flags.untilCpuHours,
      quietCpuHours: flags.untilQuiet,
      at: flags.until,
      firstCrash: flags.untilCrash,
    },
  };
}
