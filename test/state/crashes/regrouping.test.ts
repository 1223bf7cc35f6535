import { describe, expect, test } from '@jest/globals';
import { AlreadyExistsError } from '../../../src/core/errors.js';
import { CrashGroupStatus } from '../../../src/gen/pandafuzz/v1/crash.js';
import { SetCrashGroupStatusRequest } from '../../../src/gen/pandafuzz/v1/crash_service.js';
import { testContext } from '../../harness.js';
import { given } from '../../steps.js';
import { Scene, scripted } from './scene.js';

/** Crashes of one target, reported in this order. */
async function withCrashes(...reports: string[]) {
  const scene = await Scene.open(scripted(2));
  const lease = await scene.lease(await scene.build('one'));
  const ids: string[] = [];
  for (const report of reports) ids.push((await scene.crash(lease, report)).crashId);
  return { scene, lease, ids };
}

const names = (groups: string[][], ids: string[]) =>
  groups.map((group) => group.map((id) => ids.indexOf(id)));

describe('a newer reader', () => {
  test('regroups at the start what older ones have read', async () => {
    const { scene, ids } = await withCrashes(
      'v2=a/1 v3=x/1',
      'v2=a/1 v3=y/1',
      'v2=b/1 v3=y/2',
      'v2=c/1 v3=x/3',
      'v2=d/1 v3=z/1',
    );
    const before = await Promise.all(ids.map((id) => scene.groupOf(id)));
    await scene.restart(scripted(3));
    expect(names(await scene.together(), ids)).toEqual([[0, 3], [1, 2], [4]]);
    // Each group stays with its oldest crash, so people find what they knew.
    expect(await scene.groupOf(given(ids[0]))).toBe(before[0]);
    expect(await scene.groupOf(given(ids[1]))).toBe(before[2]);
    expect(await scene.group(given(before[3]))).toMatchObject({ mergedInto: before[0], count: 0 });
    expect(await scene.group(given(before[0]))).toMatchObject({
      ...{ topFrame: 'x', message: 'message x', count: 2, crashHits: 2, jobs: 1 },
    });
    expect(await scene.stats()).toMatchObject({ crashGroups: 3, crashInputsKept: 5 });
    expect((await scene.regroup(true)).moves).toEqual([]);
  });

  test('announces no known bug as a new one', async () => {
    const { scene, lease, ids } = await withCrashes('v2=a/1 v3=x/1');
    await scene.state.stop();
    await scene.restart(scripted(3));
    const again = await scene.crash(lease, 'v2=a/1 v3=x/1');
    expect(again).toMatchObject({ newGroup: false, groupId: await scene.groupOf(given(ids[0])) });
  });

  test('shows in a dry run exactly what the real one then does', async () => {
    const { scene, ids } = await withCrashes(
      ...['v2=a/1 v3=x/1', 'v2=a/1 v3=y/1', 'v2=a/2 v3=y/1', 'v2=b/1 v3=x/1', 'v2=b/2 v3=w/2'],
    );
    await scene.restart(scripted(3));
    const settled = await scene.together();
    // Back to the older one, whose version is lower: nothing is stale, so nothing moves by itself.
    await scene.restart(scripted(2));
    expect(await scene.together()).toEqual(settled);
    const shown = await scene.regroup(true);
    expect(await scene.together()).toEqual(settled);
    const done = await scene.regroup(false);
    expect(done.moves).toEqual(shown.moves);
    expect(done.moves.length).toBeGreaterThan(1);
    expect(done.last).toEqual(shown.last);
    expect(done.last).toMatchObject({ crashesRead: 5, groups: 2 });
    expect(names(await scene.together(), ids)).toEqual([
      [0, 1, 2],
      [3, 4],
    ]);
    expect((await scene.regroup(false)).moves).toEqual([]);
  });

  test('finishes at the next start what was broken off', async () => {
    const { scene, ids } = await withCrashes('v2=a/1 v3=x/1', 'v2=a/1 v3=y/1', 'v2=b/1 v3=x/1');
    await scene.restart(scripted(3));
    await scene.restart(scripted(2));
    const run = scene.state.regrouping.regroup(testContext().signal, { isDry: false });
    await run.next(); // read and written, and nothing moved yet
    await run.return(undefined);
    expect(names(await scene.together(), ids)).toEqual([[0, 2], [1]]);
    await scene.restart(scripted(2));
    expect(names(await scene.together(), ids)).toEqual([[0, 1], [2]]);
    expect((await scene.regroup(true)).moves).toEqual([]);
  });

  test('keeps what people decided', async () => {
    const { scene, lease, ids } = await withCrashes(
      ...['v2=a/1 v3=p/1', 'v2=b/1 v3=q/1', 'v2=b/2 v3=r/2', 'v2=c/1 v3=s/1', 'v2=c/2 v3=s/2'],
    );
    const groups = await Promise.all(ids.map((id) => scene.groupOf(id)));
    await scene.merge([given(groups[1])], given(groups[0]));
    const { group } = await scene.split(given(groups[3]), [given(ids[4])]);
    const undone = await scene.merge([given(groups[3])], given(groups[0]));
    await scene.undo(given(undone.decisions[0]).id);
    const decided = [[0, 1, 2], [3], [4]];
    expect(names(await scene.together(), ids)).toEqual(decided);
    await scene.restart(scripted(3));
    expect(names(await scene.together(), ids)).toEqual(decided);
    expect(await scene.groupOf(given(ids[4]))).toBe(given(group).id);
    expect(await scene.crash(lease, 'v3=s/2')).toMatchObject({ groupId: given(group).id });
    expect(await scene.crash(lease, 'v3=s/9')).toMatchObject({ groupId: groups[3] });
    expect(await scene.crash(lease, 'v3=r/9')).toMatchObject({ groupId: groups[0] });
    expect((await scene.regroup(true)).moves).toEqual([]);
  });

  test('keeps what people made of a group that becomes part of another', async () => {
    const { scene, ids } = await withCrashes('v2=a/1 v3=x/1', 'v2=b/1 v3=x/1');
    const [stays, goes] = await Promise.all(ids.map((id) => scene.groupOf(id)));
    const status = CrashGroupStatus.CONFIRMED;
    await scene.state.crashGroups.setStatus(
      testContext(),
      SetCrashGroupStatusRequest.create({ groupId: given(goes), status, note: 'bug 7', by: 'ada' }),
    );
    await scene.restart(scripted(3));
    expect(await scene.group(given(stays))).toMatchObject({
      ...{ count: 2, status, note: 'bug 7', statusSetBy: 'ada' },
    });
  });
});

test('one regrouping goes on at a time, and decisions wait for it', async () => {
  const { scene, ids } = await withCrashes('v2=a/1', 'v2=b/1');
  const run = scene.state.regrouping.regroup(testContext().signal, { isDry: false });
  await run.next();
  await expect(scene.regroup(true)).rejects.toBeInstanceOf(AlreadyExistsError);
  const [a, b] = await Promise.all(ids.map((id) => scene.groupOf(id)));
  let decided = false;
  const merge = scene.merge([given(a)], given(b)).then(() => {
    decided = true;
  });
  await scene.stats();
  expect(decided).toBe(false);
  while (!(await run.next()).done);
  await merge;
  expect(names(await scene.together(), ids)).toEqual([[0, 1]]);
});
