import { expect, test } from '@jest/globals';
import { Isolation } from '../../../src/gen/pandafuzz/v1/isolation.js';
import { testContext } from '../../harness.js';
import { Fleet, only } from '../fleet.js';

/** Jobs that require a level of isolation, and the bots that take them. */

const at = (level: Isolation, gaps: string[] = []) => ({
  containment: { level, gaps, runsAsRoot: false },
});
const requires = (isolation: Isolation, labels: Record<string, string> = {}) => ({
  requirements: { labels, memoryMib: 0, diskMib: 0, otherThanBotId: '', isolation },
});
const reasons = async (fleet: Fleet, id: string) =>
  (await fleet.state.explain.job(testContext(), id)).reasons;

test('a job goes to a bot that has at least the level it requires', async () => {
  const fleet = await Fleet.open();
  const unstated = await fleet.bot(1);
  const basic = await fleet.bot(1, at(Isolation.BASIC));
  const { id } = await fleet.create(requires(Isolation.NAMESPACES));
  await fleet.settled();
  expect([...unstated.offers(), ...basic.offers()]).toEqual([]);
  expect(await reasons(fleet, id)).toEqual([
    '1 of 2 bots online: the bot does not state how it isolates runs (namespaces is asked for)',
    '1 of 2 bots online: the bot isolates runs at the level basic, not namespaces',
  ]);
  const full = await fleet.bot(1, at(Isolation.FULL));
  await fleet.settled();
  expect(only(full.offers()).jobId).toBe(id);
});

test('labels count beside it, and jobs without a level go to any bot', async () => {
  const fleet = await Fleet.open();
  const full = await fleet.bot(2, at(Isolation.FULL));
  const { id } = await fleet.create(requires(Isolation.BASIC, { zone: 'east' }));
  await fleet.settled();
  expect(full.offers()).toEqual([]);
  expect(await reasons(fleet, id)).toEqual([
    '1 of 1 bots online: the bot has no label zone (east is asked for)',
  ]);
  const east = await fleet.bot(1, { ...at(Isolation.NAMESPACES), labels: { zone: 'east' } });
  const other = await fleet.create(requires(Isolation.UNSPECIFIED));
  await fleet.settled();
  expect(only(east.offers()).jobId).toBe(id);
  expect(only(full.offers()).jobId).toBe(other.id);
});

test('a bot shows its level, and a new registration replaces it', async () => {
  const fleet = await Fleet.open();
  const gaps = ['no cgroup for memory: read-only'];
  const id = await fleet.register({ name: 'one', ...at(Isolation.NAMESPACES, gaps) });
  const shown = async () => (await fleet.state.bots.get(testContext(), id)).containment;
  expect(await shown()).toEqual({ level: Isolation.NAMESPACES, gaps, runsAsRoot: false });
  await fleet.register({ name: 'one' });
  expect(await shown()).toBeUndefined();
});

test('a level or a gap that cannot be is refused', async () => {
  const fleet = await Fleet.open();
  await expect(fleet.register(at(9 as Isolation))).rejects.toThrow('containment.level');
  await expect(fleet.register(at(Isolation.BASIC, ['a\nb']))).rejects.toThrow('gaps[0]');
  await expect(fleet.create(requires(7 as Isolation))).rejects.toThrow('requirements.isolation');
});
