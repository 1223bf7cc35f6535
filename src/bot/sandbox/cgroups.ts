import { rmdirSync, writeFileSync } from 'node:fs';
import { access, mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep, systemClock } from '../../core/clock.js';
import { codeOf, messageOf } from '../../core/errors.js';
import type { Bounds } from './bounds.js';
import { type Hierarchy, hierarchies } from './mounts.js';

/** What a cgroup is used for. "kill" is version 2's alone; without it processes are killed one by one. */
type Use = 'memory' | 'pids' | 'kill';

interface Tree {
  /** Cgroups of runs are made in it. */
  readonly folder: string;
  readonly version: 1 | 2;
}

/** For what is left in a cgroup to be gone, milliseconds. */
const emptyMs = 2000;
const lookAgainMs = 5;
const never = new AbortController().signal;

/** The cgroup hierarchies in which this bot can make cgroups for its runs. */
export class CgroupTrees {
  #made = 0;

  private constructor(
    private readonly trees: ReadonlyMap<Use, Tree>,
    /** What the names of the bot's cgroups begin with. */
    private readonly prefix: string,
    /** What is missing, in words. */
    readonly gaps: readonly string[],
  ) {}

  get hasMemory(): boolean {
    return this.trees.has('memory');
  }

  get hasPids(): boolean {
    return this.trees.has('pids');
  }

  /** Looks for them, and makes a cgroup in each to see whether that works. */
  static async find(prefix: string): Promise<CgroupTrees> {
    const [mountinfo, own] = await Promise.all(
      ['mountinfo', 'cgroup'].map((name) => readFile(`/proc/self/${name}`, 'utf8').catch(() => '')),
    );
    const found = hierarchies(mountinfo ?? '', own ?? '');
    const trees = new Map<Use, Tree>();
    const gaps: string[] = [];
    for (const use of ['memory', 'pids', 'kill'] as const) {
      const tried = await firstThatWorks(found, use, prefix);
      if (tried.tree) trees.set(use, tried.tree);
      else if (use !== 'kill') gaps.push(`no cgroup for ${use}: ${tried.why}`);
    }
    return new CgroupTrees(trees, prefix, gaps);
  }

  /** @throws the system's error when a cgroup or a limit cannot be made */
  async make(bounds: Bounds): Promise<Cgroup> {
    const name = `${this.prefix}${++this.#made}`;
    const folders = new Map<Use, string>();
    for (const [use, tree] of this.trees) folders.set(use, join(tree.folder, name));
    const cgroup = new Cgroup(folders, this.trees.get('memory')?.version ?? 1);
    try {
      await cgroup.prepare(bounds);
      return cgroup;
    } catch (error) {
      await cgroup.end();
      throw error;
    }
  }

  /** Ends what an earlier process of this bot has left. @returns how many cgroups there were */
  async clear(): Promise<number> {
    const names = new Map<string, Map<Use, string>>();
    for (const [use, { folder }] of this.trees) {
      for (const name of await readdir(folder).catch(() => [])) {
        if (!name.startsWith(this.prefix)) continue;
        const folders = names.get(name) ?? new Map<Use, string>();
        names.set(name, folders.set(use, join(folder, name)));
      }
    }
    for (const folders of names.values()) await new Cgroup(folders, 1).end();
    return names.size;
  }
}

/** The cgroups of one start, one in each hierarchy. */
export class Cgroup {
  constructor(
    private readonly byUse: ReadonlyMap<Use, string>,
    private readonly memoryVersion: 1 | 2,
  ) {}

  get folders(): string[] {
    return [...new Set(this.byUse.values())];
  }

  /** Makes them, with their limits. */
  async prepare({ memoryBytes, processes }: Bounds): Promise<void> {
    for (const folder of this.folders) await mkdir(folder);
    const memory = this.byUse.get('memory');
    if (memory && this.memoryVersion === 2) {
      await writeFile(join(memory, 'memory.max'), String(memoryBytes));
      await writeFile(join(memory, 'memory.swap.max'), '0').catch(() => {});
      await writeFile(join(memory, 'memory.oom.group'), '1').catch(() => {});
    } else if (memory) {
      await writeFile(join(memory, 'memory.limit_in_bytes'), String(memoryBytes));
      // Swap included; not on machines that do not count it.
      const both = join(memory, 'memory.memsw.limit_in_bytes');
      await writeFile(both, String(memoryBytes)).catch(() => {});
    }
    const pids = this.byUse.get('pids');
    if (pids) await writeFile(join(pids, 'pids.max'), String(processes));
  }

  /** Whether the kernel has killed a process for its memory. */
  async isOutOfMemory(): Promise<boolean> {
    const memory = this.byUse.get('memory');
    if (!memory) return false;
    const file = this.memoryVersion === 2 ? 'memory.events' : 'memory.oom_control';
    const text = await readFile(join(memory, file), 'utf8').catch(() => '');
    return Number(/^oom_kill (\d+)/m.exec(text)?.[1] ?? 0) > 0;
  }

  /** Kills all that is in it, without waiting. For the last moment of a bot, too. */
  killNow(): void {
    const folder = this.byUse.get('kill');
    try {
      if (folder) writeFileSync(join(folder, 'cgroup.kill'), '1');
    } catch {
      // Gone already.
    }
  }

  /** Kills all that is in it until nothing is, and removes it. */
  async end(): Promise<void> {
    const deadlineMs = systemClock.monotonic() + emptyMs;
    for (const folder of this.folders) {
      for (;;) {
        this.killNow();
        const gone = await rmdir(folder).then(
          () => true,
          (error) => codeOf(error) === 'ENOENT',
        );
        if (gone || systemClock.monotonic() > deadlineMs) break;
        await killEach(folder);
        await sleep(systemClock, lookAgainMs, never);
      }
    }
  }

  /** Kills and removes what is empty by then; the next start of the bot removes the rest. */
  endNow(): void {
    this.killNow();
    for (const folder of this.folders) {
      try {
        rmdirSync(folder);
      } catch {
        // Its processes are not gone yet.
      }
    }
  }
}

async function killEach(folder: string): Promise<void> {
  const text = await readFile(join(folder, 'cgroup.procs'), 'utf8').catch(() => '');
  for (const pid of text.split('\n').map(Number)) {
    try {
      if (pid > 0) process.kill(pid, 'SIGKILL');
    } catch {
      // Gone already.
    }
  }
}

async function firstThatWorks(
  found: readonly Hierarchy[],
  use: Use,
  prefix: string,
): Promise<{ tree?: Tree; why: string }> {
  let why = 'this machine has none';
  for (const { version, controllers, folder } of found) {
    if (version === 1 && !controllers.includes(use)) continue;
    try {
      if (version === 2) await offer(folder, use);
      await expectWorks(join(folder, `${prefix}probe`), use, version);
      return { tree: { folder, version }, why: '' };
    } catch (error) {
      why = messageOf(error);
    }
  }
  return { why };
}

/**
 * Lets cgroups below a folder of version 2 have a controller. The kernel allows that only where
 * no process is in the folder itself, so the bot moves down into one of its own, where it is alone.
 */
async function offer(folder: string, use: Use): Promise<void> {
  if (use === 'kill') return;
  const read = (name: string) => readFile(join(folder, name), 'utf8');
  if (!(await read('cgroup.controllers')).split(/\s/).includes(use)) {
    throw new Error(`${folder} has no controller ${use}`);
  }
  const control = join(folder, 'cgroup.subtree_control');
  if ((await read('cgroup.subtree_control')).split(/\s/).includes(use)) return;
  try {
    await writeFile(control, `+${use}`);
  } catch (error) {
    const others = (await read('cgroup.procs')).trim().split('\n');
    if (codeOf(error) !== 'EBUSY' || others.some((pid) => Number(pid) !== process.pid)) throw error;
    const lower = join(folder, 'pandafuzz-bot');
    await mkdir(lower).catch(() => {});
    await writeFile(join(lower, 'cgroup.procs'), String(process.pid));
    await writeFile(control, `+${use}`);
  }
}

const files: Readonly<Record<Use, Readonly<Record<1 | 2, string>>>> = {
  memory: { 1: 'memory.limit_in_bytes', 2: 'memory.max' },
  pids: { 1: 'pids.max', 2: 'pids.max' },
  kill: { 1: 'cgroup.kill', 2: 'cgroup.kill' },
};

/** A limit far above any need: whether it can be written is what is asked. */
const trialLimits: Readonly<Record<Use, string>> = {
  memory: '1099511627776',
  pids: '1024',
  kill: '1',
};

/** @throws the system's error, of the first step that does not work */
async function expectWorks(folder: string, use: Use, version: 1 | 2): Promise<void> {
  await rmdir(folder).catch(() => {});
  await mkdir(folder);
  try {
    const file = join(folder, files[use][version]);
    await access(file);
    await writeFile(file, trialLimits[use]);
  } finally {
    await rmdir(folder).catch(() => {});
  }
}
