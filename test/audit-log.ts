import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { AuditNote } from '../src/core/audit.js';
import { AuditEntry } from '../src/gen/pandafuzz/v1/identity_service.js';
import { createMetrics } from '../src/metrics.js';
import { Audit } from '../src/state/access/audit.js';
import { atEnd, openStore, temporaryFolder, testContext } from './harness.js';
import { patienceMs } from './patience.js';

export const day = 86_400_000;

export const note = (wish: Partial<AuditNote> = {}): AuditNote => ({
  ...{ kind: 'change', time: 1, method: 'M', caller: 'c', tokenId: '', role: '', address: 'a' },
  ...{ requestId: 'r', about: [], outcome: 'OK', count: 1, ...wish },
});

/** An audit log without a master, on the tenth day. It keeps five days, and `keep` entries. */
export async function openAuditLog({ keep }: { keep: number }) {
  const directory = temporaryFolder();
  const store = await openStore({ directory });
  const database = new Database(join(directory, 'pandafuzz.db'), { timeout: patienceMs });
  atEnd(() => database.close());
  const ctx = testContext();
  const clock = { now: () => 10 * day, monotonic: () => 0 };
  const audit = new Audit({
    ...{ store, keepMs: 5 * day, keep, metrics: createMetrics() },
    clock: clock as never,
    log: ctx.log,
    inBackground: (_, work) => work(ctx),
  });
  /** Entries as a client receives them, the oldest first. */
  const readPage = async (page: { pageSize: number; pageToken: string }) => {
    const request = { ...page, caller: '', since: undefined, oldestFirst: true };
    const { entries, nextPageToken } = await audit.list(ctx, request);
    const items = entries.map((entry) => AuditEntry.fromJSON(AuditEntry.toJSON(entry)));
    return { items, nextPageToken };
  };
  const append = async (count: number, time: number) => {
    const all = Array.from({ length: count }, () => audit.append(ctx, note({ time })));
    await Promise.all(all);
  };
  return { audit, readPage, append, database };
}
