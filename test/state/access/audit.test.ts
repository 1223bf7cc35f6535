import { describe, expect, test } from '@jest/globals';
import type { AuditNote } from '../../../src/core/audit.js';
import { AuditEntry } from '../../../src/gen/pandafuzz/v1/identity_service.js';
import { ChainCheck } from '../../../src/operator/audit-chain.js';
import { Audit, entryRecord } from '../../../src/state/access/audit.js';
import { Refusals } from '../../../src/state/access/refusals.js';
import { listAudit } from '../../../src/store/ops/audit/list-audit.js';
import { openStore, testContext } from '../../harness.js';
import { VirtualClock } from '../../virtual-clock.js';

const day = 86_400_000;

const note = (wish: Partial<AuditNote> = {}): AuditNote => ({
  ...{ kind: 'change', time: 1, method: 'M', caller: 'c', tokenId: '', role: '', address: 'a' },
  ...{ requestId: 'r', about: [], outcome: 'OK', count: 1, ...wish },
});

describe('refusals', () => {
  test('that are alike are one entry at once, and one more for all of the next hour', async () => {
    const clock = new VirtualClock();
    const refusals = new Refusals(clock);
    const refuse = () => refusals.add(note({ kind: 'refusal', outcome: 'TOKEN_UNKNOWN' }));
    refuse();
    refuse();
    expect(refusals.due()).toMatchObject([{ count: 2, address: 'a' }]);
    for (let i = 0; i < 1000; i++) refuse();
    expect(refusals.due()).toEqual([]);
    await clock.advance(3_600_000);
    expect(refusals.due()).toMatchObject([{ count: 1000 }]);
    expect(refusals.all()).toEqual([]);
  });

  test('of more addresses than are told apart are counted by their reason', () => {
    const refusals = new Refusals(new VirtualClock());
    for (let i = 0; i < 5000; i++) {
      refusals.add(note({ kind: 'refusal', outcome: 'TOKEN_UNKNOWN', address: `10.0.0.${i}` }));
    }
    const due = refusals.due();
    expect(due.length).toBe(65);
    expect(due.at(-1)).toMatchObject({ address: '', count: 5000 - 64 });
  });
});

test('an audit log that was cut by its age or its length is verified as before', async () => {
  const store = await openStore();
  const ctx = testContext();
  const clock = { now: () => 10 * day, monotonic: () => 0 };
  const audit = new Audit({
    ...{ store, keepMs: 5 * day, keep: 20 },
    clock: clock as never,
    log: ctx.log,
    inBackground: (_, work) => work(ctx),
  });
  const all = { caller: undefined, since: 0, isOldestFirst: true, after: undefined, limit: 100 };
  const verified = async () => {
    const check = new ChainCheck(undefined);
    const rows = await store.run(ctx, listAudit, all);
    const sent = rows.map((row) => AuditEntry.fromJSON(AuditEntry.toJSON(entryRecord(row))));
    const wrong = sent.map((entry) => check.next(entry)).find(Boolean) ?? check.end();
    return [rows.length, check.first?.sequence, wrong];
  };
  for (let i = 1; i <= 8; i++) await audit.append(ctx, note({ time: i * day }));
  expect(await verified()).toEqual([8, 1, undefined]);
  await audit.sweep();
  expect(await verified()).toEqual([5, 5, undefined]);
  await audit.sweep();
  expect(await verified()).toEqual([5, 5, undefined]);
  for (let i = 0; i < 30; i++) await audit.append(ctx, note({ time: 10 * day }));
  await audit.sweep();
  expect(await verified()).toEqual([19, 22 + 0, undefined]);
});
