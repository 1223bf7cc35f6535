import type { RequestContext } from '../../core/context.js';
import type { Signal } from '../../core/signal.js';
import type { CrashMove } from '../../gen/pandafuzz/v1/crash_service.js';
import type { CrashReading } from '../../store/crash-rows.js';
import { placing, type Unit } from '../../store/grouping.js';
import type { Operation } from '../../store/operation.js';
import { type MoveCrashes, moveCrashes } from '../../store/ops/crashes/move-crashes.js';
import {
  type CrashTarget,
  crashReports,
  type RegroupedCrash,
  targetCrashes,
  targetDecisions,
} from '../../store/ops/crashes/regroup-reads.js';
import { confirmCrashes, rewriteCrashes } from '../../store/ops/crashes/rewrite-crashes.js';
import type { RegroupingParts } from './regrouping.js';

/** A part of the work on a target. */
export interface RegroupStep {
  /** Crashes that were read. */
  readonly read: number;
  readonly moves: readonly CrashMove[];
  /** Groups of the target after it; 0 but in the last step. */
  readonly groups: number;
}

/** Crashes of a target that are listed at once. */
const listedAtOnce = 1000;
/** Reports of up to 128 KiB that are in memory at once. */
const readAtOnce = 32;
/** Crashes that are changed in one transaction. */
const movedAtOnce = 100;
/** Crashes that come while a target is grouped make another pass necessary, which is short. */
const mostPasses = 5;

/** Groups the crashes of one target anew. */
export class TargetRegrouping {
  constructor(
    private readonly parts: RegroupingParts,
    private readonly target: CrashTarget,
    private readonly how: { readonly isDry: boolean; readonly scope: 'all' | 'stale' },
  ) {}

  /**
   * Ends as `signal` aborts while it reads; what it has begun to move is moved, unless the
   * master stops.
   */
  async *run(signal: Signal, stopped: Signal): AsyncGenerator<RegroupStep> {
    let crashes = await this.#list(signal);
    const rewritten: string[] = [];
    const isStale = (crash: RegroupedCrash) =>
      this.how.scope === 'all' || crash.signatureVersion < this.parts.readers.version;
    const stale = crashes.flatMap((crash, index) => (isStale(crash) ? [index] : []));
    if (stale.length === 0) return;
    for (let at = 0; at < stale.length; at += readAtOnce) {
      signal.throwIfAborted();
      const indexes = stale.slice(at, at + readAtOnce);
      rewritten.push(...(await this.#read(crashes, indexes)));
      yield { read: indexes.length, moves: [], groups: 0 };
    }
    let units = await this.#place(crashes);
    yield { read: 0, moves: movesOf(units), groups: this.how.isDry ? units.length : 0 };
    if (this.how.isDry) return;
    for (let pass = 1; ; pass++) {
      await this.#carryOut(units, stopped);
      if (pass === mostPasses) break;
      crashes = await this.#list(stopped);
      units = await this.#place(crashes);
      const moves = movesOf(units);
      if (moves.length === 0) break;
      yield { read: 0, moves, groups: 0 };
    }
    await this.#confirm(rewritten, stopped);
    yield { read: 0, moves: [], groups: units.length };
  }

  async #list(signal: Signal): Promise<RegroupedCrash[]> {
    const crashes: RegroupedCrash[] = [];
    for (;;) {
      signal.throwIfAborted();
      const afterId = crashes.at(-1)?.id ?? '';
      const page = { ...this.target, afterId, limit: listedAtOnce };
      const rows = await this.#store(targetCrashes, page);
      crashes.push(...rows);
      if (rows.length < listedAtOnce) return crashes;
    }
  }

  /**
   * Reads some crashes again, and puts what was found in their place.
   *
   * @returns the ids of those whose rows were changed
   */
  async #read(crashes: RegroupedCrash[], indexes: readonly number[]): Promise<string[]> {
    const { readers, frameLists } = this.parts;
    const { project, targetName } = this.target;
    const ids = indexes.map((index) => (crashes[index] as RegroupedCrash).id);
    const reports = await this.#store(crashReports, ids);
    const passedOver = frameLists.of(project);
    const readings = await Promise.all(
      reports.map((report) => readers.read({ report, targetName, passedOver })),
    );
    const changed: (CrashReading & { id: string })[] = [];
    for (const [at, index] of indexes.entries()) {
      const crash = crashes[index] as RegroupedCrash;
      const reading = readings[at] as CrashReading;
      if (isNews(crash, reading)) changed.push({ ...reading, id: crash.id });
      const { signature, distinction } = reading;
      crashes[index] = { ...crash, signature, distinction };
    }
    if (!this.how.isDry && changed.length > 0) await this.#store(rewriteCrashes, changed);
    return changed.map(({ id }) => id);
  }

  async #place(crashes: readonly RegroupedCrash[]): Promise<Unit[]> {
    const decisions = await this.#store(targetDecisions, this.target);
    const steps = placing(crashes, decisions);
    for (;;) {
      const next = steps.next();
      if (next.done) return next.value;
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  /** Moves the crashes first: what leads later ones to a group must not be there before it. */
  async #carryOut(units: readonly Unit[], stopped: Signal): Promise<void> {
    const plan = this.#planOf(units);
    const parts = (count: number) => Math.ceil(count / movedAtOnce);
    const slice = <T>(all: readonly T[], part: number) =>
      all.slice(part * movedAtOnce, (part + 1) * movedAtOnce);
    const none = { moves: [], signatures: [], distinctions: [] };
    const carryOut = async (some: Partial<MoveCrashes>) => {
      stopped.throwIfAborted();
      const input = { ...none, ...some, ...this.target, now: this.parts.clock.now() };
      await this.#store(moveCrashes, input);
    };
    for (let i = 0; i < parts(plan.moves.length); i++) {
      await carryOut({ moves: slice(plan.moves, i) });
    }
    for (let i = 0; i < parts(plan.signatures.length); i++) {
      await carryOut({ signatures: slice(plan.signatures, i) });
    }
    for (let i = 0; i < parts(plan.distinctions.length); i++) {
      await carryOut({ distinctions: slice(plan.distinctions, i) });
    }
  }

  #planOf(units: readonly Unit[]): Pick<MoveCrashes, 'moves' | 'signatures' | 'distinctions'> {
    const placed = units.map((unit) => ({ ...unit, to: unit.groupId ?? this.parts.newId() }));
    return {
      moves: placed.flatMap(({ crashes, to }) =>
        crashes.flatMap(({ id, groupId }) =>
          groupId === to ? [] : [{ crashId: id, from: groupId, to }],
        ),
      ),
      signatures: placed.flatMap(({ signatures, to }) =>
        signatures.map((signature) => ({ signature, groupId: to })),
      ),
      distinctions: placed.flatMap(({ distinctions, to }) =>
        [...distinctions].map(([distinction, decisionId]) => ({
          distinction,
          decisionId,
          groupId: to,
        })),
      ),
    };
  }

  async #confirm(ids: readonly string[], stopped: Signal): Promise<void> {
    const { version } = this.parts.readers;
    for (let at = 0; at < ids.length; at += movedAtOnce) {
      stopped.throwIfAborted();
      await this.#store(confirmCrashes, { ids: ids.slice(at, at + movedAtOnce), version });
    }
  }

  #store<Input, Output>(operation: Operation<Input, Output>, input: Input): Promise<Output> {
    const { store, inBackground } = this.parts;
    return inBackground(operation.name, (ctx: RequestContext) => store.run(ctx, operation, input));
  }
}

const isNews = (crash: RegroupedCrash, reading: CrashReading): boolean =>
  crash.signatureVersion !== reading.signatureVersion ||
  crash.signature !== reading.signature ||
  crash.distinction !== reading.distinction;

/** What moves, as it is shown: a group that is yet to be made has no name. */
const movesOf = (units: readonly Unit[]): CrashMove[] =>
  units.flatMap(({ crashes, groupId = '' }) =>
    crashes.flatMap((crash) =>
      crash.groupId === groupId
        ? []
        : [{ crashId: crash.id, fromGroupId: crash.groupId, toGroupId: groupId }],
    ),
  );
