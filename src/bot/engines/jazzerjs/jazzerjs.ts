import { realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { JobKind, type JobSpec } from '../../../gen/pandafuzz/v1/job.js';
import { refusedArgument } from '../../../target/arguments.js';
import { answerOf } from '../../sandbox/answer.js';
import { findProgram } from '../../sandbox/programs.js';
import type { Engine, EngineCommand, EngineDriver, EngineMachine, Probe } from '../engine.js';
import { libFuzzer } from '../libfuzzer/libfuzzer.js';

/** For Node to load the addon, milliseconds. */
const answerMs = 20_000;

/** Jazzer.js, where the machine has its command and can load its addon. */
export const jazzerJsDriver: EngineDriver = { name: 'jazzerjs', probe };

/** Loads what `jazzer` would load, from where that is installed, and prints its version. */
const load = `
  const from = require('node:module').createRequire(process.argv[1]);
  from('@jazzer.js/fuzzer');
  let version = '';
  try { version = from('@jazzer.js/core/package.json').version; } catch {}
  try { version ||= from('../package.json').version; } catch {}
  console.log('addon loaded ' + version);`;

async function probe({ symbolizer, path }: EngineMachine): Promise<Probe> {
  const [jazzer, node] = ['jazzer', 'node'].map((name) => findProgram([name], path));
  if (!jazzer) {
    return { missing: 'jazzer is not on the PATH (npm install --global @jazzer.js/core)' };
  }
  if (!node) return { missing: 'jazzer is there, but no node on the PATH that runs it' };
  const installed = await realpath(jazzer);
  const answer = await answerOf(node, ['-e', load, installed], answerMs);
  const found = /^addon loaded ?(\d[\w.-]{0,30})?$/m.exec(answer);
  if (!found) return { missing: reasonIn(answer, jazzer), isBroken: true };
  const version = found[1] ?? '';
  return { engine: jazzerJs({ node, script: installed, version, symbolizer }), version, note: '' };
}

/** A glibc that is too old is the usual reason, and the loader names the version. */
function reasonIn(answer: string, jazzer: string): string {
  const glibc = /version [`'"]GLIBC_([\d.]+)['"] not found/.exec(answer)?.[1];
  if (glibc) {
    return `the addon of ${jazzer} cannot be loaded: it needs glibc ${glibc} or newer (Debian 13), and this machine's is older`;
  }
  const line = answer.split('\n').find((one) => /Error|ERR_/.test(one)) ?? answer.trim();
  return `the addon of ${jazzer} cannot be loaded: ${line.trim().slice(0, 300) || 'node printed nothing'}`;
}

/**
 * Jazzer.js is libFuzzer in Node: its command takes the module, folders of inputs, and after
 * "--" libFuzzer's flags. libFuzzer minimises and merges in processes of its own, and has no command
 * here that would start Node with the target again: so there is neither.
 */
export function jazzerJs(options: {
  node: string;
  /** Of the command; a path without links. */
  script: string;
  version: string;
  symbolizer: string | undefined;
}): Engine {
  const { node, script, version, symbolizer } = options;
  const { screening, measuring, leakSurvey, minimise, merge, coverage, ...base } = libFuzzer({
    symbolizer,
  });
  const byJazzer = <Command extends EngineCommand>(command: Command, spec: JobSpec): Command => ({
    ...command,
    file: node,
    args: [script, ...commandLine(command, spec)],
    readable: [modulesAround(script)],
    // It writes its last figures at SIGINT.
    stopSignal: 'SIGINT',
  });
  return {
    ...base,
    name: 'jazzerjs',
    kinds: new Set([JobKind.REPRODUCE, JobKind.VERIFY]),
    versionFor: async () => `Jazzer.js ${version}`.trim(),
    refusal,
    start: async (start) =>
      (await base.start(start)).map((command) => byJazzer(command, start.spec)),
    replay: async (start) => byJazzer(await base.replay(start), start.spec),
    hasCrashed: ({ exit: { code } }) => code !== 0 && code !== 126 && code !== 127,
  };
}

/** Options of the command itself begin with two dashes, flags of libFuzzer with one. */
const isOwnOption = (argument: string) => argument.startsWith('--');
const isFlag = (argument: string) => argument.startsWith('-') && !isOwnOption(argument);

function commandLine({ file: target, args }: EngineCommand, { limits }: JobSpec): string[] {
  const seconds = limits?.inputTimeoutSeconds;
  return [
    target,
    ...args.filter((argument) => !argument.startsWith('-')),
    ...(seconds ? [`--timeout=${seconds * 1000}`] : []),
    ...args.filter(isOwnOption),
    '--',
    ...args.filter(isFlag),
  ];
}

/** Options of the command that jobs may give. */
const allowed = new Set([
  ...['sync', 'fuzz_entry_point', 'includes', 'excludes', 'custom_hooks', 'disable_bug_detectors'],
  ...['fuzzEntryPoint', 'customHooks', 'disableBugDetectors', 'verbose'],
]);

function refusal(spec: JobSpec): string | undefined {
  const own = spec.arguments.filter(isOwnOption);
  const taken = own.find((argument) => {
    const [, name = ''] = /^--([\w-]+)/.exec(argument) ?? [];
    return !allowed.has(name.replaceAll('-', '_')) && !allowed.has(name);
  });
  if (taken !== undefined) {
    return `the option ${taken} of jazzer is not for jobs, which may give ${[...allowed].map((name) => `--${name}`).join(', ')}, and flags of libFuzzer`;
  }
  return refusedArgument(
    'libfuzzer',
    spec.arguments.filter((argument) => !isOwnOption(argument)),
  );
}

/** The folder that a command and the modules that it needs are in. */
function modulesAround(script: string): string {
  const at = script.indexOf('/node_modules/');
  return at < 0 ? dirname(script) : script.slice(0, at + '/node_modules'.length);
}
