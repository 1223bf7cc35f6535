import type { AuditNote } from '../../core/audit.js';
import type { Clock } from '../../core/clock.js';
import type { InBackground, RequestContext } from '../../core/context.js';
import type { Logger } from '../../core/log.js';
import { PeriodicTask } from '../../core/periodic-task.js';
import {
  AuditEntry,
  AuditKind,
  type ListAuditEntriesRequest,
  type ListAuditEntriesResponse,
} from '../../gen/pandafuzz/v1/identity_service.js';
import type { Metrics } from '../../metrics.js';
import { inRound } from '../../store/cluster.js';
import { appendAudit } from '../../store/ops/audit/append-audit.js';
import { type AuditRow, listAudit } from '../../store/ops/audit/list-audit.js';
import { pruneAudit } from '../../store/ops/audit/prune-audit.js';
import type { Store } from '../../store/store.js';
import { cutPageBy, pageSizeOf } from '../messages/pages.js';
import { Violations } from '../messages/violations.js';
import { Refusals } from './refusals.js';

/** Time that a refusal waits for the disk, milliseconds. */
const flushEveryMs = 10_000;
const sweepEveryMs = 3_600_000;
/** Entries that one write deletes. */
const pruneAtOnce = 2000;

export interface AuditParts {
  readonly store: Pick<Store, 'run' | 'cluster'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inBackground: InBackground;
  /** Age at which entries are deleted, milliseconds. */
  readonly keepMs: number;
  /** Entries that are kept. */
  readonly keep: number;
  readonly metrics: Pick<Metrics, 'auditEntries'>;
}

/**
 * The audit log: a change is appended in the transaction that makes it (core/audit.ts), a
 * refusal waits in memory, counted with those that are alike.
 */
export class Audit {
  readonly #refusals: Refusals;
  readonly #flush: PeriodicTask;
  readonly #sweep: PeriodicTask;

  constructor(private readonly parts: AuditParts) {
    const { clock, log } = parts;
    this.#refusals = new Refusals(clock);
    this.#flush = new PeriodicTask({
      ...{ clock, log, intervalMs: flushEveryMs, name: 'flush of refusals' },
      work: () => this.#write(this.#refusals.due()),
    });
    this.#sweep = new PeriodicTask({
      ...{ clock, log, intervalMs: sweepEveryMs, name: 'sweep of the audit log' },
      work: () => inRound(parts.store, 'audit', () => this.sweep()),
    });
  }

  start(): void {
    this.#flush.start();
    this.#sweep.start();
  }

  /** Writes the refusals that wait. */
  async stop(): Promise<void> {
    await Promise.all([this.#flush.stop(), this.#sweep.stop()]);
    const left = this.#write(this.#refusals.all());
    await left.catch((err) => this.parts.log.warn({ err }, 'flush of refusals failed'));
  }

  /** Appends a change that has written nothing itself. */
  async append(ctx: RequestContext, note: AuditNote): Promise<void> {
    await this.parts.store.run(ctx, appendAudit, note);
  }

  refused(note: AuditNote): void {
    this.#refusals.add(note);
  }

  async sweep(): Promise<void> {
    const { clock, keepMs, keep, inBackground, store } = this.parts;
    const now = clock.now();
    const input = { olderThan: now - keepMs, keep, limit: pruneAtOnce, now };
    const prune = (isBegun: boolean) =>
      inBackground('prune_audit', (ctx) => store.run(ctx, pruneAudit, { ...input, isBegun }));
    let removed = await prune(false);
    while (removed === pruneAtOnce) removed = await prune(true);
  }

  /** @throws ValidationError */
  async list(
    ctx: RequestContext,
    request: ListAuditEntriesRequest,
  ): Promise<ListAuditEntriesResponse> {
    const { pageToken, caller, since, oldestFirst: isOldestFirst } = request;
    const found = new Violations();
    const limit = pageSizeOf(request, found) + 1;
    found
      .expect(
        pageToken === '' || /^[1-9]\d{0,14}$/.test(pageToken),
        'page_token',
        'must be a next_page_token of this list',
      )
      .text(caller, 'caller', { min: 0, max: 128 })
      .throwIfAny();
    const rows = await this.parts.store.run(ctx, listAudit, {
      caller: caller || undefined,
      since: since?.getTime() ?? 0,
      isOldestFirst,
      after: pageToken === '' ? undefined : Number(pageToken),
      limit,
    });
    const page = cutPageBy(rows, limit, ({ sequence }) => String(sequence));
    return { entries: page.rows.map(entryRecord), nextPageToken: page.nextPageToken };
  }

  /** Writes refusals. Those that failed wait again; one whose outcome is unknown may be counted twice. */
  async #write(notes: readonly AuditNote[]): Promise<void> {
    const { inBackground, store } = this.parts;
    if (notes.length === 0) return;
    const left = new Set(notes);
    const write = async (ctx: RequestContext, note: AuditNote) => {
      await store.run(ctx, appendAudit, note);
      this.parts.metrics.auditEntries.inc({ kind: note.kind });
      left.delete(note);
    };
    try {
      await inBackground('append_audit', async (ctx) => {
        const ends = await Promise.allSettled(notes.map((note) => write(ctx, note)));
        const failed = ends.find((end) => end.status === 'rejected');
        if (failed) throw failed.reason;
      });
    } finally {
      this.#refusals.putBack([...left]);
    }
  }
}

const kinds: Record<AuditRow['kind'], AuditKind> = {
  change: AuditKind.CHANGE,
  refusal: AuditKind.REFUSAL,
  cut: AuditKind.CUT,
};

/** A row as a message. */
export const entryRecord = (row: AuditRow): AuditEntry =>
  AuditEntry.create({
    ...{ sequence: row.sequence, time: new Date(row.time), kind: kinds[row.kind] },
    ...{ method: row.method, caller: row.caller, tokenId: row.token_id, role: row.role },
    ...{ address: row.address, requestId: row.request_id, about: row.about },
    ...{ outcome: row.outcome, count: row.count, previous: row.previous, hash: row.hash },
  });
