import { describe, expect, test } from '@jest/globals';
import { newId } from '../../../src/core/ids.js';
import {
  CampaignBuild,
  CampaignPolicies,
  CampaignPolicy,
  CampaignSpec,
} from '../../../src/gen/pandafuzz/v1/campaign_service.js';
import { CoverageBuild } from '../../../src/gen/pandafuzz/v1/coverage_service.js';
import { JobKind } from '../../../src/gen/pandafuzz/v1/job.js';
import { mergeWish } from '../../../src/state/corpus/corpus.js';
import { importCorpus } from '../../../src/store/ops/corpus/add-corpus.js';
import { testContext } from '../../harness.js';
import { Scene, sha256 } from '../crashes/scene.js';
import { works } from '../crashes/work-scene.js';

/*
 * What campaigns want done for the corpus of their target, beside what master.yaml has
 * (store/campaign-policies.ts).
 */

type Setting = 'off' | 'daily';
const dayMs = 86_400_000;
const demo = { project: 'default', targetName: 'demo' };
const roomFor = (entries: number) => ({ entries, bytes: 2 ** 30 });

/** Inputs that no job brought. */
const importInto = (scene: Scene, names: readonly string[], merge: Setting, most = 1000) =>
  scene.store.run(testContext(), importCorpus, {
    ...demo,
    entries: names.map((name) => ({
      sha256: sha256(name),
      sizeBytes: 1,
      origin: 'import' as const,
    })),
    merge: mergeWish(merge),
    bounds: roomFor(most),
    now: scene.clock.now(),
  });

/** A campaign of the target, of which one run is under way. */
async function campaign(scene: Scene, name: string, policies: Partial<CampaignPolicies>) {
  const builds = [
    CampaignBuild.create({ engine: 'libfuzzer', targetSha256: await scene.build(name) }),
  ];
  const spec = CampaignSpec.create({
    ...{ name, targetName: 'demo', builds, maxParallel: 1 },
    policies: CampaignPolicies.create(policies),
  });
  const { fuzzingCampaigns, bots, pull } = scene.state;
  await fuzzingCampaigns.create(testContext(), { spec, requestId: '' });
  const offer = { slots: 1, labels: {}, version: '', memoryMib: 0, diskMib: 0, name: newId() };
  const about = { ...offer, engines: ['libfuzzer'], engineDetails: [] };
  const bot = await bots.register(testContext(), about);
  await pull.assign(testContext(), { botId: bot.id, waitMs: 0, leaseTtlMs: dayMs });
}

/** Kinds of the jobs that upkeep has made. */
async function made(scene: Scene): Promise<JobKind[]> {
  await scene.state.corpusUpkeep.look();
  await scene.state.coverageUpkeep.look();
  return (await works(scene)).map(({ spec }) => spec?.kind ?? 0);
}

const open = (settings: Record<string, string>) => Scene.open(undefined, undefined, settings);

describe('merges', () => {
  test('are made at a new build where a campaign wants them, though the master has them off', async () => {
    const scene = await open({ PANDAFUZZ_CORPUS_MERGE: 'off' });
    await importInto(scene, ['a', 'b'], 'off');
    await campaign(scene, 'usual', {});
    expect(await made(scene)).toEqual([]);
    await campaign(scene, 'merged', { merge: CampaignPolicy.ON });
    expect(await made(scene)).toEqual([JobKind.MERGE]);
  });

  test('are made of a full corpus where a campaign wants them, though the master has them off', async () => {
    const scene = await open({ PANDAFUZZ_CORPUS_MERGE: 'off' });
    await campaign(scene, 'merged', { merge: CampaignPolicy.ON });
    await importInto(scene, ['a'], 'off', 1);
    expect(await made(scene)).toEqual([]);
    await importInto(scene, ['b'], 'off', 1);
    expect(await made(scene)).toEqual([JobKind.MERGE]);
  });

  test('are not made where the newest campaign of the target does not want them', async () => {
    const scene = await open({ PANDAFUZZ_CORPUS_MERGE: 'daily' });
    await campaign(scene, 'older', { merge: CampaignPolicy.ON });
    await campaign(scene, 'newest', { merge: CampaignPolicy.OFF });
    await importInto(scene, ['a', 'b'], 'daily');
    scene.clock.advance(2 * dayMs);
    expect(await made(scene)).toEqual([]);
  });
});

describe('reports of source coverage', () => {
  const register = async (scene: Scene, content: string) => {
    const build = CoverageBuild.create({ targetSha256: await scene.build(content) });
    return scene.state.coverage.measures.register(testContext(), { ...demo, build });
  };

  test('are made once the corpus has inputs, and not again while nothing has changed', async () => {
    const scene = await open({ PANDAFUZZ_CORPUS_MERGE: 'off' });
    await register(scene, 'measures');
    expect(await made(scene)).toEqual([]);
    await importInto(scene, ['a'], 'off');
    expect(await made(scene)).toEqual([]);
    scene.clock.advance(600_000);
    expect(await made(scene)).toEqual([JobKind.COVERAGE]);
    scene.clock.advance(600_000);
    expect(await made(scene)).toEqual([JobKind.COVERAGE]);
  });

  test.each([
    ['on', CampaignPolicy.ON, 'off', 1],
    ['off', CampaignPolicy.OFF, 'daily', 0],
  ] as const)(
    'are as the newest campaign of the target wants them: %s',
    async (_wish, coverage, master, count) => {
      const scene = await open({
        PANDAFUZZ_CORPUS_MERGE: 'off',
        PANDAFUZZ_CORPUS_COVERAGE: master,
      });
      await campaign(scene, 'measured', { coverage });
      await importInto(scene, ['a'], 'off');
      await register(scene, 'measures');
      expect(await made(scene)).toHaveLength(count);
    },
  );
});
