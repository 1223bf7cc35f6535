import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { clipUtf8 } from '../../core/clip.js';
import { messageOf, UserError } from '../../core/errors.js';
import { makeFolder } from '../../core/folders.js';
import { type IsolationLevel, type IsolationWish, isolationLevels } from '../../core/isolation.js';
import type { Logger } from '../../core/log.js';
import type { UserRange } from '../../core/user-range.js';
import type { Bounds } from './bounds.js';
import { CgroupTrees } from './cgroups.js';
import { noSecrets, type RunSecrets } from './secrets.js';
import { removeSegmentsOfUser } from './shared-memory.js';
import { killStrays } from './strays.js';
import { findSystemTools, type SystemTools } from './tools.js';
import { type Means, SandboxTools } from './tools-of-run.js';
import { trial, trialBounds } from './trial.js';
import { Users } from './users.js';
import type { Way } from './ways.js';

/** EX_USAGE and EX_UNAVAILABLE of sysexits.h. */
const usage = 64;
const unavailable = 69;
/** What the contract allows for what is missing, and for each of it, bytes. */
const mostGaps = 16;
const longestGapBytes = 256;

export interface ContainmentOptions {
  readonly wish: IsolationWish;
  /** The bot's work folder, which it holds alone. */
  readonly workDir: string;
  /** Users for runs, where the bot is root; undefined: they run as the bot's user. */
  readonly users: UserRange | undefined;
  /** Files and folders that every run may read. */
  readonly readable: readonly string[];
  readonly log: Logger;
  /** Where programs are looked for. */
  readonly path?: string;
}

/** One run, as far as its containment goes. */
export interface ContainedRun {
  /** Distinct among the bot's runs. */
  readonly name: string;
  readonly folder: string;
  readonly bounds: Bounds;
  /** Absent: it has none. */
  readonly secrets?: RunSecrets;
}

/** How this machine keeps runs from each other, from the bot and from itself; found out by trying. */
export class Containment {
  private constructor(
    readonly level: IsolationLevel,
    /** What is missing for more, in words, with what the system said. */
    readonly gaps: readonly string[],
    private readonly means: Means,
    private readonly users: Users | undefined,
    private readonly prefix: string,
  ) {}

  /** Each run has a user of its own. */
  get givesUsers(): boolean {
    return this.users !== undefined;
  }

  /** The bot is root, and so are its runs. */
  get runsAsRoot(): boolean {
    return process.getuid?.() === 0 && this.users === undefined;
  }

  /**
   * Tries each way with the very command lines that runs get.
   *
   * @throws UserError when the level that was asked for does not work here
   */
  static async find(options: ContainmentOptions): Promise<Containment> {
    const { wish, workDir, log } = options;
    await expectNobodys(options.users);
    const digest = createHash('sha256').update(workDir).digest('hex').slice(0, 12);
    const prefix = `pandafuzz-${digest}-`;
    await killStrays({ mark: prefix }, log);
    const search = new Search(options, prefix);
    const found = await search.best();
    const gaps = found.gaps.slice(0, mostGaps).map((gap) => clipUtf8(plain(gap), longestGapBytes));
    const { means, level, users } = found;
    if (wish !== 'auto' && isolationLevels.indexOf(level) < isolationLevels.indexOf(wish)) {
      await users?.close();
      throw new UserError(
        `--isolation ${wish} does not work here, only ${level}: ${gaps.join('; ')}`,
        unavailable,
      );
    }
    const cleared = await means.cgroups?.clear();
    if (cleared) log.warn({ cgroups: cleared }, 'cgroups of an earlier process removed');
    log.info({ level, way: means.way, users: users !== undefined, gaps }, 'isolation found');
    return new Containment(level, gaps, means, users, prefix);
  }

  /** What a run's programs are started with; to be given back by `release`. */
  async forRun(run: ContainedRun): Promise<RunContainment> {
    const user = await this.users?.take();
    if (this.users && user === undefined) {
      throw new Error('no user is left for a run: widen --run-users');
    }
    const mark = `${this.prefix}${run.name}`;
    const { folder, bounds, secrets = noSecrets } = run;
    const tools = new SandboxTools(this.means, { mark, folder, bounds, user, secrets });
    return {
      tools,
      release: async () => {
        await killStrays({ folder, mark: `${mark}.`, user }, this.means.log);
        if (user === undefined) return;
        await removeSegmentsOfUser(user);
        this.users?.giveBack(user);
      },
    };
  }

  async close(): Promise<void> {
    await this.users?.close();
  }
}

/**
 * Processes of a run's user are killed when the run has ended, so nobody else may be that user.
 *
 * @throws UserError
 */
async function expectNobodys(range: UserRange | undefined): Promise<void> {
  if (!range || process.getuid?.() !== 0) return;
  const passwd = await readFile('/etc/passwd', 'utf8').catch(() => '');
  for (const line of passwd.split('\n')) {
    const [name = '', , id = ''] = line.split(':');
    if (id === '' || Number(id) < range.first || Number(id) > range.last) continue;
    throw new UserError(
      `--run-users has the id ${id}, which is ${name}'s: name a range that nobody has`,
      usage,
    );
  }
}

/** One line, without what a terminal would act on: it holds what programs have said. */
const plain = (text: string): string =>
  text
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim()
    .toWellFormed();

export interface RunContainment {
  readonly tools: SandboxTools;
  /** Kills what is left of the run, and gives its user back. */
  release(): Promise<void>;
}

interface Found {
  readonly level: IsolationLevel;
  readonly means: Means;
  readonly users: Users | undefined;
  readonly gaps: readonly string[];
}

/** The search for the best way that works. */
class Search {
  readonly #gaps: string[] = [];
  readonly #tools: SystemTools;

  constructor(
    private readonly options: ContainmentOptions,
    private readonly prefix: string,
  ) {
    this.#tools = findSystemTools(options.path);
  }

  async best(): Promise<Found> {
    const { wish } = this.options;
    if (wish === 'none') return this.#found('none', this.#means('group'), undefined);
    const cgroups = await CgroupTrees.find(this.prefix);
    this.#gaps.push(...cgroups.gaps);
    const ways: readonly Way[] =
      wish === 'basic' ? ['subreaper', 'group'] : ['bubblewrap', 'unshare', 'subreaper', 'group'];
    for (const way of ways) {
      const means = { ...this.#means(way), cgroups };
      const found = await this.#tryWay(way, means);
      if (found) return found;
    }
    return this.#found('basic', { ...this.#means('group'), cgroups }, undefined);
  }

  /** With a user of their own for runs, and where that does not work, without. */
  async #tryWay(way: Way, means: Means): Promise<Found | undefined> {
    const users = this.#users();
    if (users) {
      const user = await users.take();
      const why = user === undefined ? 'all are taken' : await this.#try(means, user);
      if (user !== undefined) users.giveBack(user);
      if (why === undefined) return this.#found(levelOf(way, means.cgroups), means, users);
      await users.close();
      this.#gaps.push(`no user of their own for runs (${way}): ${why}`);
    }
    const why = await this.#try(means, undefined);
    if (why === undefined) return this.#found(levelOf(way, means.cgroups), means, undefined);
    this.#gaps.push(`${way} does not work: ${why}`);
    return undefined;
  }

  #users(): Users | undefined {
    const { users } = this.options;
    return process.getuid?.() === 0 && users && this.#tools.setpriv ? new Users(users) : undefined;
  }

  /** @returns why it does not work */
  async #try(means: Means, user: number | undefined): Promise<string | undefined> {
    const folder = join(this.options.workDir, 'probe');
    const mark = `${this.prefix}probe`;
    try {
      await makeFolder(join(folder, 'tmp'));
      const tools = new SandboxTools(means, {
        mark,
        folder,
        bounds: trialBounds,
        user,
        secrets: noSecrets,
      });
      return await trial(tools, folder, means.tools.sh);
    } catch (error) {
      return messageOf(error);
    }
  }

  #means(way: Way): Means {
    const { readable, log } = this.options;
    const tools = this.#tools;
    return { tools, way, cgroups: undefined, countsByUser: false, readable, log };
  }

  #found(level: IsolationLevel, means: Means, users: Users | undefined): Found {
    return { level, means, users, gaps: this.#gaps };
  }
}

function levelOf(way: Way, cgroups: CgroupTrees | undefined): IsolationLevel {
  if (way === 'subreaper' || way === 'group') return 'basic';
  return cgroups?.hasMemory && cgroups.hasPids ? 'full' : 'namespaces';
}
