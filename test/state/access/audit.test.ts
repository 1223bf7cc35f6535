import { describe, expect, test } from '@jest/globals';
import { verifyChain } from '../../../src/operator/audit-chain.js';
import { each } from '../../../src/operator/pages.js';
import { Refusals } from '../../../src/state/access/refusals.js';
import { day, note, openAuditLog } from '../../audit-log.js';
import { VirtualClock } from '../../virtual-clock.js';

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

  test('whose write failed are due with the next one, with those that came meanwhile', async () => {
    const clock = new VirtualClock();
    const refusals = new Refusals(clock);
    const refuse = (address: string) =>
      refusals.add(note({ kind: 'refusal', outcome: 'TOKEN_UNKNOWN', address }));
    for (let i = 0; i < 70; i++) refuse(`10.0.0.${i}`);
    const due = refusals.due();
    expect(due.at(-1)).toMatchObject({ method: '', count: 6 });
    refuse('10.0.0.1');
    refusals.putBack(due);
    const counts = due.map(({ address, count }) => [address, address === '10.0.0.1' ? 2 : count]);
    expect(refusals.due().map(({ address, count }) => [address, count])).toEqual(counts);
    expect(refusals.due()).toEqual([]);
    refuse('10.0.0.2');
    await clock.advance(3_600_000);
    const atEnd = refusals.due();
    expect(atEnd).toMatchObject([{ address: '10.0.0.2', count: 1 }]);
    refuse('10.0.0.2');
    refusals.putBack(atEnd);
    expect(refusals.due()).toMatchObject([{ address: '10.0.0.2', count: 2 }]);
  });

  test('are written once, after a write of which some failed', async () => {
    const { audit, readPage, database } = await openAuditLog({ keep: 20 });
    database.exec(`CREATE TRIGGER refuse BEFORE INSERT ON audit WHEN NEW.address = 'b'
      BEGIN SELECT RAISE(ABORT, 'no entry'); END`);
    for (const address of ['a', 'b', 'b']) audit.refused(note({ kind: 'refusal', address }));
    await audit.stop();
    database.exec('DROP TRIGGER refuse');
    audit.refused(note({ kind: 'refusal', address: 'b' }));
    await audit.stop();
    expect((await readPage({ pageSize: 10, pageToken: '' })).items).toMatchObject([
      { address: 'a', count: 1 },
      { address: 'b', count: 3 },
    ]);
  });
});

describe('an audit log that was cut', () => {
  test('by its age or its length is verified as before', async () => {
    const { audit, append, readPage } = await openAuditLog({ keep: 20 });
    const verified = async () => {
      const { check, wrong } = await verifyChain(() => each(readPage));
      return [check.count, check.first?.sequence, wrong];
    };
    for (let i = 1; i <= 8; i++) await append(1, i * day);
    expect(await verified()).toEqual([8, 1, undefined]);
    await audit.sweep();
    expect(await verified()).toEqual([5, 5, undefined]);
    await audit.sweep();
    expect(await verified()).toEqual([5, 5, undefined]);
    await append(17, 10 * day);
    await audit.sweep();
    expect(await verified()).toEqual([22, 5, undefined]);
    await append(1, 10 * day);
    await audit.sweep();
    expect(await verified()).toEqual([20, 5 + 4, undefined]);
  });

  test('with several writes has what it may keep, not what it may be over that', async () => {
    const { audit, append, readPage } = await openAuditLog({ keep: 1000 });
    for (let i = 0; i < 6; i++) await append(500, 10 * day);
    await audit.sweep();
    const { check, wrong } = await verifyChain(() => each(readPage));
    expect([check.count, wrong]).toEqual([1000, undefined]);
  });

  test('is compared with a head that went where a cut names it, and else says that it is not', async () => {
    const { audit, append, readPage } = await openAuditLog({ keep: 20 });
    await append(30, 10 * day);
    const heads = (await readPage({ pageSize: 100, pageToken: '' })).items;
    await audit.sweep();
    const against = async (sequence: number, hash = heads[sequence - 1]?.hash ?? '') => {
      const { check, wrong } = await verifyChain(() => each(readPage), { sequence, hash });
      return [check.isHeadGone, wrong];
    };
    expect(await against(12)).toEqual([false, undefined]);
    expect(await against(11)).toEqual([false, undefined]);
    expect(await against(10)).toEqual([true, undefined]);
    const other = {
      sequence: 31,
      problem: 'the last one that it deleted is not the one of --head',
    };
    expect(await against(11, 'f'.repeat(64))).toEqual([false, other]);
    expect(await against(32)).toEqual([false, expect.objectContaining({ sequence: 32 })]);
  });

  test('while it was read is read anew, and is broken if entries are missing all the same', async () => {
    const { audit, append, readPage, database } = await openAuditLog({ keep: 20 });
    await append(30, 10 * day);
    let cuts = 0;
    const verified = async () => {
      let readings = 0;
      const { check, wrong } = await verifyChain(() => {
        readings++;
        return each(async (page) => {
          const isBetween = page.pageToken !== '' && cuts > 0;
          if (isBetween) {
            cuts--;
            await append(10, 10 * day);
            await audit.sweep();
          }
          return await readPage(page);
        }, 5);
      });
      return { readings, count: check.count, wrong };
    };
    cuts = 3;
    expect(await verified()).toEqual({ readings: 4, count: 20, wrong: undefined });
    expect(cuts).toBe(0);
    database.exec('DELETE FROM audit WHERE sequence = (SELECT max(sequence) - 9 FROM audit)');
    const wrong = { sequence: expect.any(Number), problem: '1 before it are missing', missing: 1 };
    expect(await verified()).toEqual({ readings: 2, count: 10, wrong });
  });
});
