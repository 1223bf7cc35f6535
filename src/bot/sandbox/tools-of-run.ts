import type { Logger } from '../../core/log.js';
import { type Bounds, type BrokenBound, brokenBound } from './bounds.js';
import type { Cgroup, CgroupTrees } from './cgroups.js';
import { environmentOf } from './environment.js';
import { gate } from './gate.js';
import { handOver, type Seen, see, writableFolders } from './hand-over.js';
import { innermost } from './innermost.js';
import { systemPath } from './programs.js';
import { foldersOf, foldersOfInterpreter } from './readable.js';
import type { SandboxCommand } from './sandbox.js';
import { outer, type RunSecrets } from './secrets.js';
import { killStrays, markName } from './strays.js';
import type { SystemTools } from './tools.js';
import { enclosed, tiedToBot, type Way } from './ways.js';

/** How this machine shuts runs in. */
export interface Means {
  readonly tools: SystemTools;
  readonly way: Way;
  readonly cgroups: CgroupTrees | undefined;
  /** Whether processes of a run are counted by their user alone. */
  readonly countsByUser: boolean;
  /** Files and folders that every run may read. */
  readonly readable: readonly string[];
  readonly log: Logger;
}

/** The run that programs are started for. */
export interface RunOfPrograms {
  /** What values of PANDAFUZZ_RUN begin with; a dot follows. */
  readonly mark: string;
  /** undefined: it has none, and writes nothing. */
  readonly folder: string | undefined;
  readonly bounds: Bounds;
  /** User of its own; undefined: the bot's. */
  readonly user: number | undefined;
  readonly secrets: RunSecrets;
}

export interface Prepared {
  readonly argv: readonly string[];
  readonly way: Way;
  /** Working folder of what stands before the engine, where that sets none. */
  readonly cwd: string;
  /** Of what stands before the engine. */
  readonly outerEnvironment: NodeJS.ProcessEnv;
  /** Value of PANDAFUZZ_RUN, of this start alone. */
  readonly mark: string;
  readonly cgroup: Cgroup | undefined;
  readonly seen: Seen;
}

/** What the programs of one run are started with. */
export class SandboxTools {
  #starts = 0;

  constructor(
    private readonly means: Means,
    private readonly of: RunOfPrograms,
  ) {}

  get folder(): string | undefined {
    return this.of.folder;
  }

  get bounds(): Bounds {
    return this.of.bounds;
  }

  get log(): Logger {
    return this.means.log;
  }

  /** Kills what is left of one start, wherever it has gone; others of the run go on. */
  async killStrays(mark: string): Promise<void> {
    await killStrays({ mark }, this.log);
  }

  get secrets(): RunSecrets {
    return this.of.secrets;
  }

  wordsOf(broken: BrokenBound): string {
    return brokenBound(broken, this.bounds);
  }

  /** What a program needs that is neither the system's nor in the run's folder. */
  async #foldersOf(file: string): Promise<string[]> {
    const { folder } = this.of;
    const isOfRun = folder !== undefined && file.startsWith(`${folder}/`);
    const own = isOfRun ? [] : await foldersOf(file);
    return [...own, ...(await foldersOfInterpreter(file))];
  }

  /** Makes the cgroups, hands the folders over, and puts the command line together. */
  async prepare(command: SandboxCommand): Promise<Prepared> {
    const { tools, way, cgroups, readable } = this.means;
    const { folder, user } = this.of;
    // Ends in a dot, so that none begins another.
    const mark = `${this.of.mark}.${++this.#starts}.`;
    const bounds = { ...this.of.bounds, fileBytes: command.maxFileBytes };
    const writable = folder === undefined ? [] : await writableFolders(folder);
    if (folder !== undefined && user !== undefined) await handOver(folder, writable, user);
    const seen = await see(writable);
    const around = {
      cwd: command.cwd,
      folder,
      writable,
      readable: [
        ...readable,
        ...(command.readable ?? []),
        ...(way === 'bubblewrap' ? await this.#foldersOf(command.file) : []),
      ],
      network: bounds.network,
      hasUser: user !== undefined,
    };
    const middle = enclosed(way, tools, around);
    if (!middle) throw new Error(`a program for ${way} is missing`);
    const { plain, hidden } = this.of.secrets.apart(command.environment);
    const inner = innermost(tools, {
      file: command.file,
      args: command.args,
      environment: environmentOf({ folder, mark }, plain),
      hidden: Object.keys(hidden),
      bounds,
      user,
      isRootThere: way === 'unshare',
      hasCount: user !== undefined || this.means.countsByUser,
    });
    const cgroup = await cgroups?.make(bounds);
    const folders = cgroup?.folders ?? [];
    return {
      argv: [...tiedToBot(way, tools), ...gate(tools, folders), ...middle, ...inner],
      way,
      cwd: way === 'bubblewrap' || way === 'unshare' ? '/' : command.cwd,
      outerEnvironment: { PATH: systemPath, LANG: 'C', [markName]: mark, ...outer(hidden) },
      mark,
      cgroup,
      seen,
    };
  }
}
