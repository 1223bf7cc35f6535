import { describe, expect, test } from '@jest/globals';
import { NotFoundError } from '../../../src/core/errors.js';
import { newId } from '../../../src/core/ids.js';
import { testContext } from '../../harness.js';
import { given } from '../../steps.js';
import { Scene, scripted } from './scene.js';

async function opened() {
  const scene = await Scene.open(scripted(2));
  const lease = await scene.lease(await scene.build('one'));
  return { scene, lease };
}

const refusal = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'none',
    (error) => error.fields?.reason ?? error.name,
  );

/** What was decided is what regrouping makes of it. */
const expectSettled = async (scene: Scene) => expect((await scene.regroup(true)).moves).toEqual([]);

/** A crash each in three groups, the oldest first. */
async function threeGroups() {
  const { scene, lease } = await opened();
  const a = await scene.crash(lease, 'v2=a/1');
  const b = await scene.crash(lease, 'v2=b/1');
  const c = await scene.crash(lease, 'v2=c/1');
  return { scene, a, b, c };
}

describe('a merge', () => {
  test('brings crashes, hits and what comes later into the group that stays', async () => {
    const { scene, lease } = await opened();
    const gone = await scene.crash(lease, 'v2=parse/10', { hits: 5 });
    const stays = await scene.crash(lease, 'v2=paint/3');
    const merged = await scene.merge([gone.groupId], stays.groupId);
    expect(merged.group).toMatchObject({ id: stays.groupId, count: 2, crashHits: 6 });
    expect(merged.group).toMatchObject({ firstCrashId: gone.crashId, jobs: 1, bots: 1, builds: 1 });
    expect(merged.decisions).toMatchObject([
      { kind: 'merge', groupId: gone.groupId, toGroupId: stays.groupId, crashes: 1, by: 'ada' },
    ]);
    expect(await scene.crash(lease, 'v2=parse/11')).toMatchObject({ groupId: stays.groupId });
    expect((await scene.groups()).map(({ id }) => id)).toEqual([stays.groupId]);
    expect(await scene.stats()).toMatchObject({ crashGroups: 1 });
    await expectSettled(scene);
  });

  test('is undone with what came later and followed it', async () => {
    const { scene, lease } = await opened();
    const gone = await scene.crash(lease, 'v2=parse/10');
    const stays = await scene.crash(lease, 'v2=paint/3');
    const { decisions } = await scene.merge([gone.groupId], stays.groupId);
    const follower = await scene.crash(lease, 'v2=parse/11');
    const other = await scene.crash(lease, 'v2=paint/4');
    const undone = await scene.undo(given(decisions[0]).id);
    expect(undone.undoneAt).toEqual(expect.any(Date));
    expect(await scene.together()).toEqual([
      [gone.crashId, follower.crashId],
      [stays.crashId, other.crashId],
    ]);
    expect(await scene.groupOf(follower.crashId)).toBe(gone.groupId);
    expect(await scene.group(gone.groupId)).toMatchObject({ mergedInto: '', count: 2 });
    expect(await scene.crash(lease, 'v2=parse/12')).toMatchObject({ groupId: gone.groupId });
    expect(await scene.stats()).toMatchObject({ crashGroups: 2 });
    expect(await refusal(scene.undo(given(decisions[0]).id))).toBe('UNDONE');
    await expectSettled(scene);
  });

  test('of several can be undone one by one, in any order', async () => {
    const { scene, a, b, c } = await threeGroups();
    const { decisions } = await scene.merge([a.groupId, b.groupId], c.groupId);
    await scene.undo(given(decisions[0]).id);
    expect(await scene.together()).toEqual([[a.crashId], [b.crashId, c.crashId]]);
    await expectSettled(scene);
  });

  test('of one group and then another are undone in any order, though the first brought older crashes', async () => {
    const { scene, a, b, c } = await threeGroups();
    const first = given((await scene.merge([a.groupId], b.groupId)).decisions[0]);
    const second = given((await scene.merge([c.groupId], b.groupId)).decisions[0]);
    await scene.undo(first.id);
    expect(await scene.together()).toEqual([[a.crashId], [b.crashId, c.crashId]]);
    await scene.undo(second.id);
    expect(await scene.together()).toEqual([[a.crashId], [b.crashId], [c.crashId]]);
    await expectSettled(scene);
  });

  test('is not undone before a later one that took its group further', async () => {
    const { scene, a, b, c } = await threeGroups();
    const first = given((await scene.merge([a.groupId], b.groupId)).decisions[0]);
    const second = given((await scene.merge([b.groupId], c.groupId)).decisions[0]);
    expect(await refusal(scene.undo(first.id))).toBe('LATER_DECISION');
    expect(await scene.together()).toEqual([[a.crashId, b.crashId, c.crashId]]);
    await scene.undo(second.id);
    await scene.undo(first.id);
    expect(await scene.together()).toEqual([[a.crashId], [b.crashId], [c.crashId]]);
    await expectSettled(scene);
  });

  test('is of groups that are there, of one target', async () => {
    const { scene, lease } = await opened();
    const here = await scene.crash(lease, 'v2=a/1');
    const other = await scene.lease(await scene.build('two', 'other'));
    const there = await scene.crash(other, 'v2=a/1');
    expect(await refusal(scene.merge([there.groupId], here.groupId))).toBe('OTHER_TARGET');
    const unknown = scene.merge([newId()], here.groupId);
    await expect(unknown).rejects.toBeInstanceOf(NotFoundError);
    expect(await refusal(scene.merge([here.groupId], here.groupId))).toBe('ValidationError');
    expect(await scene.together()).toEqual([[here.crashId], [there.crashId]]);
  });
});

describe('a split', () => {
  test('takes crashes out, and later ones that nothing tells apart from them follow', async () => {
    const { scene, lease } = await opened();
    const kept = await scene.crash(lease, 'v2=parse/10');
    const leaves = await scene.crash(lease, 'v2=parse/20', { hits: 3 });
    const { group, decision } = await scene.split(kept.groupId, [leaves.crashId]);
    expect(group).toMatchObject({ count: 1, crashHits: 3, firstCrashId: leaves.crashId });
    expect(decision).toMatchObject({ kind: 'split', groupId: kept.groupId, toGroupId: group?.id });
    expect(await scene.group(kept.groupId)).toMatchObject({ count: 1, crashHits: 1 });
    const follower = await scene.crash(lease, 'v2=parse/20');
    const other = await scene.crash(lease, 'v2=parse/30');
    expect(await scene.together()).toEqual([
      [kept.crashId, other.crashId],
      [leaves.crashId, follower.crashId],
    ]);
    await expectSettled(scene);
    await scene.undo(given(decision).id);
    expect(await scene.together()).toHaveLength(1);
    expect(await scene.group(given(group).id)).toMatchObject({ mergedInto: kept.groupId });
    expect(await scene.crash(lease, 'v2=parse/20')).toMatchObject({ groupId: kept.groupId });
    await expectSettled(scene);
  });

  test('is of crashes in the group, and not of all', async () => {
    const { scene, lease } = await opened();
    const [a, b] = [await scene.crash(lease, 'v2=a/1'), await scene.crash(lease, 'v2=b/1')];
    expect(await refusal(scene.split(a.groupId, [b.crashId]))).toBe('NOT_IN_GROUP');
    expect(await refusal(scene.split(a.groupId, [a.crashId]))).toBe('WHOLE_GROUP');
    expect(await refusal(scene.split(newId(), [a.crashId]))).toBe('NotFoundError');
  });

  test('can be merged again, and that be undone', async () => {
    const { scene, lease } = await opened();
    const kept = await scene.crash(lease, 'v2=parse/10');
    const leaves = await scene.crash(lease, 'v2=parse/20');
    const { group } = await scene.split(kept.groupId, [leaves.crashId]);
    const { decisions } = await scene.merge([given(group).id], kept.groupId);
    const follower = await scene.crash(lease, 'v2=parse/20');
    expect(follower.groupId).toBe(kept.groupId);
    await expectSettled(scene);
    await scene.undo(given(decisions[0]).id);
    expect(await scene.together()).toEqual([[kept.crashId], [leaves.crashId, follower.crashId]]);
    expect(await scene.crash(lease, 'v2=parse/20')).toMatchObject({ groupId: given(group).id });
    await expectSettled(scene);
  });
});

describe('a split of a split', () => {
  /** One crash stays, two that nothing tells apart leave; the later one of them leaves again. */
  async function splitTwice() {
    const { scene, lease } = await opened();
    const kept = await scene.crash(lease, 'v2=parse/10');
    const leaves = await scene.crash(lease, 'v2=parse/20');
    const first = await scene.split(kept.groupId, [leaves.crashId]);
    const follower = await scene.crash(lease, 'v2=parse/20');
    const second = await scene.split(follower.groupId, [follower.crashId]);
    const [one, two] = [given(first.decision), given(second.decision)];
    return { scene, lease, kept, leaves, follower, one, two };
  }

  test('is undone into its part, which later crashes find again', async () => {
    const { scene, lease, kept, leaves, follower, one, two } = await splitTwice();
    const last = await scene.crash(lease, 'v2=parse/20');
    expect(last.groupId).toBe(two.toGroupId);
    await expectSettled(scene);
    await scene.undo(two.id);
    expect(await scene.together()).toEqual([
      [kept.crashId],
      [leaves.crashId, follower.crashId, last.crashId],
    ]);
    expect(await scene.crash(lease, 'v2=parse/20')).toMatchObject({ groupId: one.toGroupId });
    expect(await scene.crash(lease, 'v2=parse/30')).toMatchObject({ groupId: kept.groupId });
    await expectSettled(scene);
    await scene.undo(one.id);
    expect(await scene.together()).toHaveLength(1);
    expect(await scene.crash(lease, 'v2=parse/20')).toMatchObject({ groupId: kept.groupId });
    await expectSettled(scene);
  });

  test('has to be undone before the first one, which says so', async () => {
    const { scene, kept, one, two } = await splitTwice();
    const before = await scene.together();
    await expect(scene.undo(one.id)).rejects.toMatchObject({
      fields: {
        reason: 'LATER_DECISION',
        why: `group ${one.toGroupId} was split later on by decision ${two.id}: undo that one first`,
      },
    });
    expect(await scene.together()).toEqual(before);
    await scene.undo(two.id);
    await scene.undo(one.id);
    expect(await scene.together()).toHaveLength(1);
    expect(await scene.group(one.toGroupId)).toMatchObject({ mergedInto: kept.groupId });
    expect(await scene.group(two.toGroupId)).toMatchObject({ mergedInto: one.toGroupId });
    await expectSettled(scene);
  });

  test('sends what followed it to the split that still stands', async () => {
    const { scene, lease } = await opened();
    const kept = await scene.crash(lease, 'v2=parse/10');
    const [older, leaves] = [
      await scene.crash(lease, 'v2=parse/20'),
      await scene.crash(lease, 'v2=parse/20'),
    ];
    const first = await scene.split(kept.groupId, [leaves.crashId]);
    const second = await scene.split(kept.groupId, [older.crashId]);
    const follower = await scene.crash(lease, 'v2=parse/20');
    expect(follower.groupId).toBe(given(second.group).id);
    await scene.undo(given(second.decision).id);
    expect(await scene.together()).toEqual([
      [kept.crashId, older.crashId],
      [leaves.crashId, follower.crashId],
    ]);
    expect(await scene.groupOf(follower.crashId)).toBe(given(first.group).id);
    expect(await scene.group(given(first.group).id)).toMatchObject({ count: 2 });
    expect(await scene.crash(lease, 'v2=parse/20')).toMatchObject({
      groupId: given(first.group).id,
    });
    await expectSettled(scene);
  });
});

test('decisions are listed newest first, in pages, and by the groups they are about', async () => {
  const { scene, lease } = await opened();
  const into = await scene.crash(lease, 'v2=into/1');
  const ids: string[] = [];
  for (let i = 0; i < 5; i++) {
    const { groupId } = await scene.crash(lease, `v2=g${i}/1`);
    ids.unshift(given((await scene.merge([groupId], into.groupId)).decisions[0]).id);
  }
  const other = await scene.crash(lease, 'v2=alone/1');
  const list = (groupId: string, pageToken: string) =>
    scene.state.crashDecisions.list(testContext(), { pageSize: 2, pageToken, groupId });
  const seen: string[] = [];
  for (let token = ''; ; ) {
    const page = await list(into.groupId, token);
    seen.push(...page.decisions.map(({ id }) => id));
    token = page.nextPageToken;
    if (token === '') break;
  }
  expect(seen).toEqual(ids);
  expect((await list('', '')).decisions.map(({ id }) => id)).toEqual(ids.slice(0, 2));
  expect(await list(other.groupId, '')).toEqual({ decisions: [], nextPageToken: '' });
});
