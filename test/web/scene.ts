import { unary } from '../../src/client/call.js';
import type { Connection } from '../../src/client/connect.js';
import { formatAddress } from '../../src/config/quantities.js';
import { newId } from '../../src/core/ids.js';
import { CampaignSpec } from '../../src/gen/pandafuzz/v1/campaign_service.js';
import { CrashGroupStatus } from '../../src/gen/pandafuzz/v1/crash.js';
import { JobOutcome, JobStatistics } from '../../src/gen/pandafuzz/v1/job.js';
import { reporter, sample } from '../cli/crash-scene.js';
import { runMasterFor, temporaryFolder } from '../harness.js';
import { ScriptedBot } from '../scripted-bot.js';
import { createJob, given, registerBot, uploadTarget } from '../steps.js';
import { coverageScene, hostilePath } from './coverage.js';
import { hostile } from './hostile.js';

/** The input of the first crash. */
export const reproducer = 'PTIL\u0002T\r\u0000<script>alert(1)</script>';

/** Pictures are for newcomers: no text of theirs looks like an attack. */
const forPictures = process.env['PICTURES'] !== undefined;

const hostileSpec = {
  targetName: `${hostile.markup} ${'wide-'.repeat(12)}`.slice(0, 120),
  name: hostile.markup,
  campaign: `${hostile.markup} ${hostile.bidi}`,
};

/** A note and a name as somebody with any client may write them. */
async function note({ crashes }: Connection, groupId: string): Promise<void> {
  const status = CrashGroupStatus.CONFIRMED;
  const request = {
    groupId,
    status,
    note: `${hostile.markup} ${hostile.bidi}`,
    by: hostile.markup,
    fixedInSha256: '',
  };
  await unary(crashes, crashes.setCrashGroupStatus, request);
}

/** A fleet with everything that the page shows: runs, a dead job, jobs that wait, crashes, a campaign. */
export async function scene(settings: Record<string, string> = {}) {
  const { master, connection } = await runMasterFor({ PANDAFUZZ_LEASES_TTL: '10m', ...settings });
  const { sha256: targetSha256 } = await uploadTarget(connection);
  const bot = await registerBot(connection, 'north-01', {
    slots: 4,
    ...(!forPictures && { labels: { rack: hostile.markup }, version: hostile.markup.slice(0, 60) }),
  });
  const line = new ScriptedBot(connection, bot.id);
  await line.hello(2);

  const running = await createJob(connection, {
    targetSha256,
    targetName: 'png_read',
    name: 'nightly',
  });
  const lease = await line.take();
  const failing = await createJob(connection, { targetSha256, targetName: 'xml-parse' });
  const failed = await line.take();
  const message = 'library libpng16.so.16 is missing';
  line.say({
    $case: 'jobDone',
    value: {
      lease: failed,
      result: { outcome: JobOutcome.FAILED, message, final: true, statistics: undefined },
    },
  });
  await line.hear('jobDoneAck');
  for (const [beat, coverage] of [1200, 1810, 2043].entries()) {
    const executions = 1_000_000 * (beat + 1);
    const figures = {
      executions,
      executionsPerSecond: 23_410.5,
      coverage,
      elapsedMs: 40_000 * (beat + 1),
    };
    await line.beat(
      0,
      [lease],
      JobStatistics.create({ ...figures, corpusFiles: 312, corpusBytes: 48_000 }),
    );
  }

  const report = reporter({ connection, folder: temporaryFolder(), lease, targetSha256 });
  const { groupId } = await report(sample('asan-heap-buffer-overflow'), reproducer, { hits: 412 });
  await report(sample('asan-heap-buffer-overflow'), `${reproducer} and more`);
  const second = await report(sample('asan-double-free'), 'second');
  const bad = await report(forPictures ? sample('asan-leak') : hostileReport(), hostile.everything);
  if (!forPictures) await note(connection, bad.groupId);
  const evil = await createJob(connection, {
    targetSha256,
    ...(forPictures ? { targetName: 'json-parse', name: 'weekly' } : hostileSpec),
  });
  const campaign = await createCampaign(connection, targetSha256);
  await coverageScene(connection);
  return {
    master,
    connection,
    origin: `http://${formatAddress(master.http)}`,
    line,
    lease,
    ...{ bot, running, failing, evil, campaign, groupId },
    ...{ secondGroupId: second.groupId, hostileGroupId: bad.groupId },
  };
}

export type Scene = Awaited<ReturnType<typeof scene>>;

async function createCampaign({ campaigns }: Connection, targetSha256: string) {
  const spec = CampaignSpec.create({
    name: 'zlib-inflate',
    targetName: 'png_read',
    builds: [{ engine: 'libfuzzer', sanitizer: 'address', targetSha256 }],
  } as Partial<CampaignSpec>);
  const { campaign } = await unary(campaigns, campaigns.createCampaign, {
    spec,
    requestId: newId(),
  });
  return given(campaign);
}

/** A report in which everything that a target can fill has text that should not run. */
const hostileReport = (): string =>
  sample('asan-heap-buffer-overflow')
    .replaceAll('repeat_row', `evil<img src=x onerror=alert(2)>`)
    .replaceAll('/src/target.c', `/src/${hostile.bidi}<b>target.c`)
    .replace('=====\n', `=====\n${hostile.everything}\n${'x'.repeat(20_000)}\n`);

/** Every page, by a name for its picture. */
export const pathsOf = (at: Scene): Readonly<Record<string, string>> => ({
  overview: '/',
  groups: '/groups',
  group: `/groups/${at.groupId}`,
  hostile: `/groups/${at.hostileGroupId}`,
  jobs: '/jobs',
  job: `/jobs/${at.running.id}`,
  evil: `/jobs/${at.evil.id}`,
  bots: '/bots',
  bot: `/bots/${at.bot.id}`,
  campaigns: '/campaigns',
  campaign: `/campaigns/${at.campaign.id}`,
  target: '/targets/default/png_read',
  corpora: '/corpora',
  coverage: '/coverage/default/png_read',
  lines: `/coverage/default/png_read?file=${encodeURIComponent(hostilePath)}`,
  events: '/events',
  system: '/system',
  settings: '/settings',
  nowhere: '/groups/a/b',
});
