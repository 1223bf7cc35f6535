import { describe, expect, test } from '@jest/globals';
import type { PreconditionError } from '../../../src/core/errors.js';
import { CrashGroupStatus } from '../../../src/gen/pandafuzz/v1/crash.js';
import { SetCrashGroupStatusRequest } from '../../../src/gen/pandafuzz/v1/crash_service.js';
import { testContext } from '../../harness.js';
import { Scene, scripted, sha256 } from './scene.js';

const set = (scene: Scene, request: Partial<SetCrashGroupStatusRequest>) =>
  scene.state.crashGroups.setStatus(testContext(), {
    ...SetCrashGroupStatusRequest.create({ by: 'ada' }),
    ...request,
  });

/** A group that the build "old" met. */
async function metGroup() {
  const scene = await Scene.open(scripted(2));
  const old = await scene.build('old');
  const lease = await scene.lease(old);
  const { groupId } = await scene.crash(lease, 'v2=parse/10');
  return { scene, old, lease, groupId };
}

const meetOn = async (scene: Scene, build: string) =>
  scene.crash(await scene.lease(build), 'v2=parse/10');

describe('a status', () => {
  test('is kept with its note and who set it; a note alone changes no status', async () => {
    const { scene, groupId } = await metGroup();
    const status = CrashGroupStatus.CONFIRMED;
    expect(await set(scene, { groupId, status, note: 'bug 7' })).toMatchObject({
      id: groupId,
      status,
      note: 'bug 7',
      statusSetBy: 'ada',
      statusSetAt: expect.any(Date),
    });
    expect(await set(scene, { groupId, note: 'bug 8', by: 'bob' })).toMatchObject({
      status,
      note: 'bug 8',
      statusSetBy: 'bob',
    });
    expect(await set(scene, { groupId, status: CrashGroupStatus.IGNORED })).toMatchObject({
      status: CrashGroupStatus.IGNORED,
      note: 'bug 8',
      statusSetBy: 'ada',
    });
    await meetOn(scene, await scene.build('newer'));
    expect(await scene.group(groupId)).toMatchObject({ status: CrashGroupStatus.IGNORED });
  });

  test('FIXED goes away as the fixed build or a later one crashes, and not by an older one', async () => {
    const { scene, old, lease, groupId } = await metGroup();
    const middle = await scene.build('middle');
    const fixed = await scene.build('fixed');
    const status = CrashGroupStatus.FIXED;
    await set(scene, { groupId, status, fixedInSha256: fixed });
    await scene.crash(lease, 'v2=parse/10');
    await meetOn(scene, old);
    await meetOn(scene, middle);
    expect(await scene.group(groupId)).toMatchObject({
      status,
      fixedInSha256: fixed,
      builds: 2,
      reopenedAt: undefined,
    });
    await meetOn(scene, fixed);
    expect(await scene.group(groupId)).toMatchObject({
      status: CrashGroupStatus.NEW,
      fixedInSha256: '',
      reopenedAt: expect.any(Date),
    });
  });

  test('FIXED without a build stands until one later than all that met it crashes', async () => {
    const { scene, old, groupId } = await metGroup();
    await set(scene, { groupId, status: CrashGroupStatus.FIXED });
    await meetOn(scene, old);
    expect(await scene.group(groupId)).toMatchObject({ status: CrashGroupStatus.FIXED });
    await meetOn(scene, await scene.build('newer'));
    expect(await scene.group(groupId)).toMatchObject({ status: CrashGroupStatus.NEW });
  });

  test('FIXED in a build that is not known here goes by the age of jobs', async () => {
    const { scene, old, lease, groupId } = await metGroup();
    const fixedInSha256 = sha256('built elsewhere');
    await set(scene, { groupId, status: CrashGroupStatus.FIXED, fixedInSha256 });
    await scene.crash(lease, 'v2=parse/10');
    expect(await scene.group(groupId)).toMatchObject({ status: CrashGroupStatus.FIXED });
    await meetOn(scene, old);
    expect(await scene.group(groupId)).toMatchObject({ status: CrashGroupStatus.NEW });
  });

  test('of a group that was merged away is refused with the group that it is in now', async () => {
    const { scene, lease, groupId } = await metGroup();
    const middle = await scene.crash(lease, 'v2=middle/1');
    const last = await scene.crash(lease, 'v2=last/1');
    await scene.merge([groupId], middle.groupId);
    await scene.merge([middle.groupId], last.groupId);
    const refused = await set(scene, { groupId, status: CrashGroupStatus.FIXED }).catch(
      (error: PreconditionError) => error,
    );
    expect((refused as PreconditionError).fields).toMatchObject({
      reason: 'MERGED',
      why: expect.stringContaining(last.groupId),
    });
    expect(await scene.group(groupId)).toMatchObject({ mergedInto: middle.groupId, count: 0 });
  });
});
