import { readdir, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../core/clock.js';
import { messageOf } from '../../core/errors.js';
import type { Logger } from '../../core/log.js';
import { PeriodicTask } from '../../core/periodic-task.js';
import type { Lease } from '../../gen/pandafuzz/v1/lease.js';
import type { Engine, WrittenArtifact } from '../engines/engine.js';
import { isOfMemory } from '../engines/plain-names.js';
import { crashContext, type StartContext } from '../findings/context.js';
import { keyOf } from '../findings/crash-key.js';
import { composeReport } from '../findings/evidence.js';
import { digestOf, type Findings, type Verdict } from '../findings/findings.js';
import type { HitsOnDisk } from '../findings/hits-on-disk.js';
import type { SanitizerLogs } from '../findings/sanitizer-logs.js';
import type { Spool } from '../findings/spool.js';
import type { RunFolder } from '../folders/run-folder.js';
import { readPlainFile } from '../sandbox/plain-file.js';
import type { SandboxExit } from '../sandbox/sandbox.js';
import type { Account, NamelessStacks } from './nameless-stacks.js';
import type { Replay } from './replay.js';

/** An artifact's process ends soon after it was written; a crash waits for its exit code so long, milliseconds. */
const exitWaitMs = 1000;
/** Between two looks at the artifacts folder, for what no line was printed of, milliseconds. */
const sweepIntervalMs = 5000;
/** With less room on the disk a report may have been lost, bytes. */
const leastRoomBytes = 256 * 1024;
/** Each may take as long as an input may; further ones are kept on the engine's word. */
const mostSuspectReplays = 24;
/** Crashing inputs that are looked for in the corpus after a start that never came to fuzz, bytes. */
const mostInputBytes = 64 * 2 ** 20;

export interface HarvestParts {
  readonly lease: Lease;
  readonly engine: Engine;
  readonly folder: Pick<RunFolder, 'artifacts' | 'corpus' | 'releaseReserve'>;
  readonly findings: Findings;
  readonly hits: Pick<HitsOnDisk, 'changed'>;
  readonly spool: Spool;
  readonly logs: SanitizerLogs;
  readonly start: StartContext;
  /** Its leaks are known and not looked for: they may use up the memory. */
  readonly withoutLeaks: boolean;
  /** Its stacks have no names; those of distinct crashes that are known, by such a stack. */
  readonly namelessStacks: NamelessStacks | undefined;
  /** Executions of the attempt until now. */
  readonly executions: () => number;
  readonly replay: (input: Buffer) => Promise<Replay>;
  /** The report with names for its stack, where they can be found without another execution. */
  readonly nameStack: (report: string) => Promise<string>;
  readonly log: Logger;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** An artifact on its way to the spool. */
interface Arrival extends WrittenArtifact {
  readonly atMs: number;
  readonly executions: number;
  /** Found in the folder: no line was printed of it. */
  readonly isSwept?: boolean;
  /** The only one left after its process: its report may be younger than the artifact. */
  readonly isLast?: boolean;
}

/**
 * The crashes of one start of the engine, from the artifacts folder to the spool: each as
 * soon as its report is complete, one after the other. An artifact that no line was printed
 * of is found by looking into the folder from time to time, and after the end.
 */
export class Harvest {
  readonly #inputs: Buffer[] = [];
  /** Names of artifacts on their way, and how often each. */
  readonly #expected = new Map<string, number>();
  /** Digests of the inputs that are out of the folder, by their names there. */
  readonly #taken = new Map<string, string>();
  /** Lines about files that were being written again just then, by name. */
  readonly #unread = new Map<string, number>();
  readonly #exit = Promise.withResolvers<SandboxExit>();
  readonly #sweeps: PeriodicTask;
  #queue: Promise<void> = Promise.resolve();
  #inputBytes = 0;
  #hits = 0;
  #lost = 0;
  #suspects = 0;
  #dropped = 0;
  #metLeak = false;
  #reportMs = 0;
  readonly #keys: string[] = [];
  #failure: unknown;

  constructor(private readonly parts: HarvestParts) {
    const { clock, log } = parts;
    const work = () => this.#sweep(clock.now() - sweepIntervalMs);
    const name = 'a look for crashes';
    this.#sweeps = new PeriodicTask({ clock, log, intervalMs: sweepIntervalMs, name, work });
    this.#sweeps.start();
  }

  /** Hits of this start. */
  get hits(): number {
    return this.#hits;
  }

  /** Hits whose inputs the disk had no room for. */
  get lost(): number {
    return this.#lost;
  }

  /** Hits that a replay did not confirm. */
  get dropped(): number {
    return this.#dropped;
  }

  /** A leak was met that is known now. */
  get metLeak(): boolean {
    return this.#metLeak;
  }

  /** Keys of the distinct crashes that were met. */
  get keys(): readonly string[] {
    return this.#keys;
  }

  /** Time from the beginning of the last report to the end of the process, milliseconds. */
  get reportMs(): number {
    return this.#reportMs;
  }

  /** Crashing inputs of this start, up to a bound; those that only leak are none. */
  get inputs(): readonly Buffer[] {
    return this.#inputs;
  }

  /** The engine has written an artifact, and its report is complete. */
  written(artifact: WrittenArtifact): void {
    if (!this.parts.engine.isCrash(artifact.name)) return;
    const isSuspect = artifact.isSuspect || (this.parts.withoutLeaks && isOfMemory(artifact.name));
    this.#add({
      ...artifact,
      isSuspect,
      atMs: this.parts.clock.monotonic(),
      executions: this.parts.executions(),
    });
  }

  /** The process has ended, or could not be started: nothing more is looked for by itself. */
  ended(): Promise<void> {
    return this.#sweeps.stop();
  }

  /**
   * To be called after `ended`. Resolves when every artifact is in the spool,
   * or known and counted.
   *
   * @throws what keeps crashes out of the spool; they stay in the artifacts folder
   */
  async finish(exit: SandboxExit): Promise<void> {
    this.#exit.resolve(exit);
    const endedAtMs = this.parts.clock.now();
    await this.#queue;
    await this.#sweep(Number.POSITIVE_INFINITY);
    await this.#queue;
    const { lastBeganAtMs } = this.parts.logs;
    if (this.#hits > 0 && lastBeganAtMs > 0) {
      this.#reportMs = Math.max(endedAtMs - lastBeganAtMs, 0);
    }
    if (this.#failure) throw this.#failure;
    for (const name of await readdir(this.parts.folder.artifacts)) {
      await rm(join(this.parts.folder.artifacts, name), { recursive: true, force: true });
    }
  }

  #add(arrival: Arrival): void {
    const { name } = arrival;
    this.#expected.set(name, (this.#expected.get(name) ?? 0) + 1);
    this.#queue = this.#queue.then(async () => {
      await this.#take(arrival).catch((error) => {
        this.#failure ??= error;
        this.parts.log.error({ err: error, artifact: name }, 'crash not kept');
      });
      const left = (this.#expected.get(name) ?? 1) - 1;
      if (left > 0) this.#expected.set(name, left);
      else this.#expected.delete(name);
    });
  }

  /** Adds the artifacts that are older than this, and that no line was printed of. */
  async #sweep(writtenBeforeMs: number): Promise<void> {
    const { clock, engine, folder, executions, logs } = this.parts;
    const names: string[] = [];
    for (const name of (await readdir(folder.artifacts)).sort()) {
      if (!engine.isCrash(name) || this.#expected.has(name)) continue;
      const found = await stat(join(folder.artifacts, name)).catch(() => undefined);
      if (found && found.mtimeMs < writtenBeforeMs) names.push(name);
    }
    const isLast = names.length === 1 && writtenBeforeMs === Number.POSITIVE_INFINITY;
    for (const name of names) {
      const now = { atMs: clock.monotonic(), executions: executions() };
      this.#add({ name, output: [], ...now, isSwept: true, isLast });
    }
    await logs.prune();
  }

  async #take(arrival: Arrival): Promise<void> {
    const { findings, folder } = this.parts;
    const path = join(folder.artifacts, arrival.name);
    const input = await this.#inputOf(arrival, path);
    if (!input) return;
    const sanitizerLog = await this.#logOf(arrival, path);
    if (findings.metAgain(digestOf(input))) this.#met(input);
    else {
      const account = await this.#account(arrival, input, sanitizerLog);
      if (!account) return this.#drop(arrival, path);
      this.#metLeak ||= account.isLeak === true;
      this.#met(input, account.isLeak);
      await this.#judge(arrival, input, account);
    }
    const key = findings.keyOfInput(digestOf(input));
    if (key) this.#keys.push(key);
    this.parts.hits.changed();
    this.#taken.set(arrival.name, digestOf(input));
    for (let left = this.#unread.get(arrival.name) ?? 0; left > 0; left--) {
      findings.metAgain(digestOf(input));
      this.#hits += 1;
    }
    this.#unread.delete(arrival.name);
    await rm(path, { force: true });
  }

  async #judge(arrival: Arrival, input: Buffer, account: Account): Promise<void> {
    const { findings, log } = this.parts;
    if (account.isCounted) return findings.metKnown(input, account.key);
    const verdict = findings.judge(input, account);
    if (verdict.isKept) await this.#keep(arrival, input, account, verdict);
    else log.debug({ artifact: arrival.name }, 'crash counted');
  }

  #met(input: Buffer, isLeak = false): void {
    this.#hits += 1;
    if (isLeak) return;
    this.#inputBytes += input.length;
    if (this.#inputBytes <= mostInputBytes) this.#inputs.push(input);
  }

  /** The input as the engine printed it, or as it lies there; undefined when there is none, or none that is whole. */
  async #inputOf(arrival: Arrival, path: string): Promise<Buffer | undefined> {
    const { name, input, isSwept } = arrival;
    const { engine, findings } = this.parts;
    const content = input && engine.isWhole(name, input) ? input : await readPlainFile(path);
    if (content && engine.isWhole(name, content)) return content;
    // The same input twice within a moment: its file is gone with the first, or is being written.
    if (!isSwept && findings.metAgain(this.#taken.get(name) ?? '')) {
      this.#hits += 1;
      await rm(path, { force: true });
    } else if (content && isSwept) await this.#lose(name, path, content.length);
    else if (content) this.#unread.set(name, (this.#unread.get(name) ?? 0) + 1);
    return undefined;
  }

  async #lose(name: string, path: string, sizeBytes: number): Promise<void> {
    const { findings, folder, log } = this.parts;
    this.#hits += 1;
    this.#lost += 1;
    findings.metLost();
    await folder.releaseReserve();
    await rm(path, { force: true });
    log.error({ artifact: name, sizeBytes }, 'crash input lost');
  }

  /**
   * The report of an artifact; of a replay where its own cannot be read.
   *
   * @returns undefined for an input that only seemed to crash
   */
  async #account(
    arrival: Arrival,
    input: Buffer,
    sanitizerLog: string,
  ): Promise<Account | undefined> {
    const { findings, signal } = this.parts;
    const exit = await this.#exitOf(arrival);
    const report = composeReport(arrival.output, sanitizerLog);
    const found = keyOf(report);
    const own = { report, ...found, exit, replayCommand: undefined };
    if (found.key === '' && sanitizerLog === '' && (await hasNoRoom(this.parts.folder.artifacts))) {
      this.parts.logs.moveToStandardError();
    }
    const { namelessStacks } = this.parts;
    if (namelessStacks) {
      return namelessStacks.account(own, {
        named: () => this.#named(own),
        replayed: async () => {
          const replayed = signal.aborted ? undefined : await this.#replay(input);
          return replayed && this.#better(replayed, '');
        },
      });
    }
    const isSuspect = arrival.isSuspect && this.#suspects++ < mostSuspectReplays;
    const needsReplay = isSuspect || found.key === '';
    if (!needsReplay || !findings.hasRoomForUnknown || signal.aborted) return own;
    const replayed = await this.#replay(input);
    if (!replayed) return own;
    if (isSuspect && !replayed.isCrash) return undefined;
    return this.#better(replayed, report) ?? own;
  }

  /** The engine's own report, with names for its stack; undefined when none were found. */
  async #named(own: Account): Promise<Account | undefined> {
    const report = await this.parts.nameStack(own.report);
    return report === own.report ? undefined : { ...own, report, ...keyOf(report) };
  }

  async #logOf(arrival: Arrival, path: string): Promise<string> {
    const { mtimeMs } = (await stat(path).catch(() => undefined)) ?? {};
    return this.parts.logs.take(pidsIn(arrival), arrival.isLast ? undefined : mtimeMs);
  }

  /** @returns undefined when it could not be started, or was stopped */
  async #replay(input: Buffer): Promise<Replay | undefined> {
    const { folder, log, replay, signal } = this.parts;
    const attempt = () => replay(input);
    const replayed = await attempt()
      .catch(async () => {
        await folder.releaseReserve();
        return attempt();
      })
      .catch((error) => log.warn({ why: messageOf(error) }, 'crash replay failed'));
    return signal.aborted ? undefined : (replayed ?? undefined);
  }

  /** @returns undefined where the replay's report says no more than the engine's own */
  #better(replayed: Replay, report: string): Account | undefined {
    const found = keyOf(replayed.report);
    this.parts.log.info({ readable: found.key !== '', ...replayed.exit }, 'crash replayed');
    if (found.key === '' && report.trim() !== '') return undefined;
    return { ...replayed, ...found, replayCommand: replayed.command };
  }

  async #drop({ name }: Arrival, path: string): Promise<void> {
    this.#dropped += 1;
    this.parts.log.info({ artifact: name }, 'crash not confirmed');
    await rm(path, { force: true });
  }

  /** undefined for a process that lives on after its artifact, as one that forks does. */
  #exitOf({ atMs }: Arrival): Promise<SandboxExit | undefined> {
    const { clock } = this.parts;
    const leftMs = Math.max(atMs + exitWaitMs - clock.monotonic(), 0);
    const waited = Promise.withResolvers<undefined>();
    const timer = clock.schedule(leftMs, () => waited.resolve(undefined));
    return Promise.race([this.#exit.promise, waited.promise]).finally(() => timer.cancel());
  }

  async #keep(arrival: Arrival, input: Buffer, account: Account, verdict: Verdict) {
    const { folder, lease, spool, start } = this.parts;
    const { report, exit, replayCommand } = account;
    const { executions } = arrival;
    const context = crashContext({ start, exit, executions, replayCommand });
    const { hits, kept } = verdict;
    const onAcknowledged = (crashId: string, groupId: string) => {
      if (kept) Object.assign(kept, { crashId, groupId });
      this.parts.hits.changed();
    };
    const crash = { lease, input, report, context, hits, onAcknowledged, key: account.key };
    await spool.add(crash, () => folder.releaseReserve());
  }
}

async function hasNoRoom(path: string): Promise<boolean> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize < leastRoomBytes;
}

/** Processes that libFuzzer's own headlines name. */
function pidsIn({ output }: Arrival): number[] {
  return output.flatMap(({ bytes }) =>
    [...bytes.toString('latin1').matchAll(/==(\d{1,10})== ?ERROR: /g)].map(([, pid]) =>
      Number(pid),
    ),
  );
}
