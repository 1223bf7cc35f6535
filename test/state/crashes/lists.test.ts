import { describe, expect, test } from '@jest/globals';
import { newId } from '../../../src/core/ids.js';
import { CrashGroupStatus } from '../../../src/gen/pandafuzz/v1/crash.js';
import {
  ListCrashGroupsRequest,
  SetCrashGroupStatusRequest,
} from '../../../src/gen/pandafuzz/v1/crash_service.js';
import { recordCrash } from '../../../src/store/ops/crashes/record-crash.js';
import { testContext } from '../../harness.js';
import { crashInput } from '../../store/inputs.js';
import { Scene, scripted, sha256 } from './scene.js';

/** Groups of every sort, the newest first. */
async function variedGroups() {
  const scene = await Scene.open(scripted(2));
  const build = await scene.build('one');
  const demo = await scene.lease(build);
  const other = await scene.lease(build, { targetName: 'other' });
  const project = await scene.lease(build, { project: 'x' });
  const groups: string[] = [];
  for (const [lease, report] of [
    [demo, 'v2=parse/10'],
    [demo, 'v2=paint/20'],
    [other, 'v2=parse/10'],
    [project, 'v2=GROSS/10'],
    [demo, 'v2=write/30'],
  ] as const) {
    groups.unshift((await scene.crash(lease, report)).groupId);
  }
  const at = (index: number) => groups[groups.length - 1 - index] as string;
  return { scene, demo, groups, at };
}

const idsOf = async (scene: Scene, filter: Partial<ListCrashGroupsRequest>) =>
  (await scene.groups(filter)).map(({ id }) => id);

describe('groups are listed', () => {
  test('newest first, by project, target, kind, status, text and times', async () => {
    const { scene, demo, groups, at } = await variedGroups();
    expect(await idsOf(scene, {})).toEqual(groups);
    expect(await idsOf(scene, { targetName: 'demo' })).toEqual([at(4), at(3), at(1), at(0)]);
    expect(await idsOf(scene, { project: 'x' })).toEqual([at(3)]);
    expect(await idsOf(scene, { project: 'default', targetName: 'demo' })).toEqual([
      at(4),
      at(1),
      at(0),
    ]);
    expect(await idsOf(scene, { kind: 'kind of parse' })).toEqual([at(2), at(0)]);
    expect(await idsOf(scene, { kind: 'kind of parse', targetName: 'other' })).toEqual([at(2)]);
    expect(await idsOf(scene, { text: 'PAR' })).toEqual([at(2), at(0)]);
    expect(await idsOf(scene, { text: 'message write' })).toEqual([at(4)]);
    expect(await idsOf(scene, { text: 'nowhere' })).toEqual([]);

    const { CONFIRMED, NEW } = CrashGroupStatus;
    const request = { groupId: at(1), status: CONFIRMED, by: '' };
    await scene.state.crashGroups.setStatus(
      testContext(),
      SetCrashGroupStatusRequest.create(request),
    );
    expect(await idsOf(scene, { status: CONFIRMED })).toEqual([at(1)]);
    expect(await idsOf(scene, { status: NEW, targetName: 'demo' })).toEqual([at(4), at(3), at(0)]);

    const [newest] = await scene.groups();
    const since = newest?.firstFoundAt as Date;
    await scene.crash(demo, 'v2=parse/11');
    expect(await idsOf(scene, { newSince: since })).toEqual([at(4)]);
    expect(await idsOf(scene, { since })).toEqual([at(4), at(0)]);
  });

  test('without those that were merged away', async () => {
    const { scene, at } = await variedGroups();
    await scene.merge([at(0)], at(1));
    for (const filter of [{}, { targetName: 'demo' }, { project: 'default' }, { status: 1 }]) {
      expect(await idsOf(scene, filter)).not.toContain(at(0));
    }
  });

  test('with those that look alike', async () => {
    const scene = await Scene.open(scripted(2));
    const lease = await scene.lease(await scene.build('one'));
    const { groupId } = await scene.crash(lease, 'v2=parse/10');
    const twin = await scene.crash(lease, 'v2=parse/20');
    await scene.crash(lease, 'v2=paint/1');
    const { group } = await scene.split(groupId, [twin.crashId]);
    const { similar } = await scene.state.crashGroups.get(testContext(), groupId);
    expect(similar.map(({ id }) => id)).toEqual([group?.id]);
  });
});

describe('of thousands', () => {
  /** Groups straight in the store; every 500th is of kind "rare". */
  async function withThousands(count: number) {
    const scene = await Scene.open(scripted(2));
    const { jobId, ...lease } = await scene.lease(await scene.build('one'));
    const inputs = Array.from({ length: count }, (_, i) => ({
      ...crashInput({ id: jobId, ...lease }, '0', sha256(`${i}`)),
      id: newId(),
      newGroupId: newId(),
      inputSha256: sha256(`input ${i}`),
      kind: i % 500 === 0 ? 'rare' : 'SEGV',
    }));
    for (let at = 0; at < count; at += 500) {
      const slice = inputs.slice(at, at + 500);
      await scene.store.runEach(testContext(60_000), recordCrash, slice);
    }
    return { scene, ids: inputs.map(({ newGroupId }) => newGroupId).reverse(), inputs };
  }

  test('every group is in one page, and a page of a rare kind looks at a bounded number', async () => {
    const { scene, ids, inputs } = await withThousands(5000);
    const list = (request: Partial<ListCrashGroupsRequest>) =>
      scene.state.crashGroups.list(testContext(), ListCrashGroupsRequest.create(request));
    const seen: string[] = [];
    for (let pageToken = ''; ; ) {
      const page = await list({ pageSize: 700, pageToken });
      seen.push(...page.groups.map(({ id }) => id));
      pageToken = page.nextPageToken;
      if (pageToken === '') break;
    }
    expect(seen).toEqual(ids);
    const rare: string[] = [];
    const sizes: number[] = [];
    for (let pageToken = ''; ; ) {
      const page = await list({ pageSize: 1000, pageToken, kind: 'rare' });
      rare.push(...page.groups.map(({ id }) => id));
      sizes.push(page.groups.length);
      pageToken = page.nextPageToken;
      if (pageToken === '') break;
    }
    expect(sizes.length).toBeGreaterThanOrEqual(3);
    expect(Math.max(...sizes)).toBe(4);
    const expected = inputs.flatMap(({ kind, newGroupId }) =>
      kind === 'rare' ? [newGroupId] : [],
    );
    expect(rare).toEqual(expected.reverse());
  });
});

describe('ids', () => {
  test('are found by how they begin, of each resource at most ten', async () => {
    const { scene, at } = await variedGroups();
    const find = async (prefix: string, ...resources: string[]) =>
      (await scene.state.system.findIds(testContext(), { prefix, resources })).found;
    expect(await find(at(0))).toEqual([{ id: at(0), resource: 'crash group' }]);
    expect(await find(at(0).slice(0, 9), 'crash group')).toContainEqual({
      id: at(0),
      resource: 'crash group',
    });
    const all = await find('0');
    const resources = [...new Set(all.map(({ resource }) => resource))];
    expect(resources).toEqual(['bot', 'job', 'crash', 'crash group']);
    expect(await find('f')).toEqual([]);
    for (const [prefix, resource] of [
      ['', 'job'],
      ['x', 'job'],
      ['0A', 'job'],
      ['0', 'jobs'],
    ]) {
      await expect(find(prefix as string, resource as string)).rejects.toThrow(/prefix|resources/);
    }
  });
});
