import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { boundsOf } from '../../../src/bot/runs/bounds.js';
import type { Bounds } from '../../../src/bot/sandbox/bounds.js';
import { Containment } from '../../../src/bot/sandbox/containment.js';
import { findProgram, systemPath } from '../../../src/bot/sandbox/programs.js';
import {
  killEverything,
  type SandboxExit,
  startSandbox,
} from '../../../src/bot/sandbox/sandbox.js';
import type { SandboxTools } from '../../../src/bot/sandbox/tools-of-run.js';
import { defaultUsers } from '../../../src/bot/sandbox/users.js';
import type { IsolationWish } from '../../../src/core/isolation.js';
import { silentLog } from '../../../src/core/log.js';
import { atEnd, temporaryFolder } from '../../harness.js';

/** What runs are shut in by, on a machine that lacks some programs. */
export const ways = {
  bubblewrap: { wish: 'auto', without: [] },
  unshare: { wish: 'auto', without: ['bwrap'] },
  subreaper: { wish: 'basic', without: [] },
  group: { wish: 'basic', without: ['perl'] },
} as const satisfies Record<string, { wish: IsolationWish; without: readonly string[] }>;

export type WayName = keyof typeof ways;

const programs = ['bwrap', 'env', 'mount', 'perl', 'prlimit', 'setpriv', 'sh', 'unshare'];

/** A PATH with the system's programs but for some. */
export function pathWithout(names: readonly string[]): string {
  if (names.length === 0) return systemPath;
  const folder = temporaryFolder();
  chmodSync(folder, 0o755); // users of runs use some of them
  for (const name of programs.filter((one) => !names.includes(one))) {
    const found = findProgram([name], systemPath);
    if (found) symlinkSync(found, join(folder, name));
  }
  return folder;
}

/** Found by trying, as a bot does at its start; given up after the test. */
export async function containmentBy(
  way: WayName,
  workDir = temporaryFolder(),
  readable: readonly string[] = [],
): Promise<Containment> {
  const { wish, without } = ways[way];
  const containment = await Containment.find({
    wish,
    workDir,
    users: defaultUsers,
    readable,
    log: silentLog,
    path: pathWithout(without),
  });
  atEnd(() => containment.close());
  return containment;
}

export interface ContainedFolder {
  readonly workDir: string;
  /** The run's folder, with "tmp", "work" and "bin" in it. */
  readonly folder: string;
  readonly tools: SandboxTools;
  readonly release: () => Promise<void>;
}

/** A run in a work folder of its own. */
export async function containedRun(
  way: WayName,
  bounds: Partial<Bounds> = {},
  workDir = temporaryFolder(),
): Promise<ContainedFolder> {
  chmodSync(workDir, 0o755); // below it, users of runs pass through
  const containment = await containmentBy(way, workDir);
  return runOf(containment, workDir, bounds);
}

/** A run of the bot's own user in a work folder of its own, which sees all that the bot does. */
export async function uncontainedRun(): Promise<ContainedFolder> {
  const workDir = temporaryFolder();
  const options = { workDir, users: defaultUsers, readable: [], log: silentLog };
  const containment = await Containment.find({ wish: 'none', ...options });
  atEnd(() => containment.close());
  return runOf(containment, workDir);
}

let count = 0;

export async function runOf(
  containment: Containment,
  workDir: string,
  bounds: Partial<Bounds> = {},
): Promise<ContainedFolder> {
  const name = `run-${++count}`;
  const folder = join(workDir, 'runs', name);
  for (const part of ['tmp', 'work', 'bin']) mkdirSync(join(folder, part), { recursive: true });
  const usual = boundsOf({ limits: undefined });
  const contained = await containment.forRun({ name, folder, bounds: { ...usual, ...bounds } });
  atEnd(async () => {
    killEverything();
    await contained.release();
  });
  return { workDir, folder, tools: contained.tools, release: contained.release };
}

/** Starts a shell script in it; `said` resolves with the first of its output. */
export async function script(
  { tools, folder }: ContainedFolder,
  text: string,
  maxFileBytes = 2 ** 20,
) {
  const output: string[] = [];
  const said = Promise.withResolvers<string>();
  const sandbox = await startSandbox(tools, {
    file: '/bin/sh',
    args: ['-c', text],
    environment: {},
    cwd: join(folder, 'work'),
    maxFileBytes,
    onOutput: (chunk) => {
      output.push(chunk.toString());
      said.resolve(chunk.toString());
    },
  });
  return { sandbox, said: said.promise, text: () => output.join('') };
}

/** Runs a script to its end. */
export async function ran(
  run: ContainedFolder,
  text: string,
): Promise<SandboxExit & { readonly text: string }> {
  const started = await script(run, text);
  const exit = await started.sandbox.exited;
  return { ...exit, text: started.text() };
}

/**
 * A script that signals whatever it can, or starts processes without end. It does nothing
 * unless it has a user that no other process of the machine has: were the containment under
 * test to fail, the machine must not be hurt.
 */
export const harmless = (text: string): string =>
  `[ "$(id -u)" -ge ${defaultUsers.first} ] && [ "$(id -u)" -le ${defaultUsers.last} ] || { echo no user of its own; exit 99; }\n${text}`;
