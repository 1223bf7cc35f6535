import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import { JobLimits, JobState } from '../../src/gen/pandafuzz/v1/job.js';
import { listCrashes, listCrashGroups } from '../../src/operator/lists.js';
import { submitJobs } from '../../src/operator/submit.js';
import {
  atherisPython,
  buildProgram,
  buildScript,
  panicsProgram,
  withAddressSanitizer,
} from '../bot/programs/build.js';
import { startedAgent } from '../bot/started-agent.js';
import { runMasterFor, temporaryFolder } from '../harness.js';
import { testWith } from '../languages/tools.js';
import { eventually, given, jobIn } from '../steps.js';

/** What is seen of each bug in a report, by what its input begins with. */
type Bugs = Readonly<Record<string, string>>;

/** Seeds that are one byte short of each bug. */
function seedsFor(bugs: Bugs): string {
  const folder = join(temporaryFolder(), 'seeds');
  mkdirSync(folder);
  for (const letter of Object.keys(bugs)) writeFileSync(join(folder, letter), letter);
  return folder;
}

interface Situation {
  readonly targetPath: string;
  readonly bugs: Bugs;
  /** What every report must show. */
  readonly evidence: RegExp;
  readonly environment?: Record<string, string>;
}

/** Fuzzes the target by a real bot until all bugs are found: each is a group, each crash has its report. */
async function expectGroups(situation: Situation): Promise<void> {
  const { targetPath, bugs, environment = {} } = situation;
  const { address, connection } = await runMasterFor();
  await startedAgent(address);
  const limits = JobLimits.fromPartial({ maxDurationSeconds: 300 });
  const [job] = await submitJobs(connection, {
    targetPath,
    seedsPath: seedsFor(bugs),
    spec: { engine: 'libfuzzer', limits, environment },
    count: 1,
  });
  const { id: jobId } = given(job);
  const wanted = Object.keys(bugs).length;
  await eventually(async () => {
    const found = await listCrashGroups(connection, { limit: 10 });
    return found.length >= wanted || undefined;
  });
  await unary(connection.jobs, connection.jobs.cancelJob, { jobId });
  const { statistics } = await jobIn(connection, jobId, JobState.CANCELLED);
  const groups = await listCrashGroups(connection, { limit: 10 });
  const crashes = await listCrashes(connection, { groupId: '', jobId, limit: 100 });
  const found = new Map<string, Set<string>>();
  for (const { id: crashId, groupId } of crashes) {
    const { crash } = await unary(connection.crashes, connection.crashes.getCrash, { crashId });
    expect(crash?.report).toMatch(situation.evidence);
    const seen = Object.values(bugs).filter((bug) => crash?.report.includes(bug));
    found.set(groupId, new Set([...(found.get(groupId) ?? []), ...seen]));
  }
  const bugsOfGroups = groups.map((group) => [...(found.get(group.id) ?? [])].join(' and '));
  expect(bugsOfGroups.sort()).toEqual(Object.values(bugs).sort());
  const hits = groups.reduce((sum, group) => sum + group.crashHits, 0);
  expect(hits).toBe(statistics?.crashHits);
  expect(statistics?.crashes).toBeGreaterThanOrEqual(crashes.length);
}

const withAbseil = ['-fno-exceptions', '-std=c++17', '-labsl_statusor', '-labsl_status'];

test.each([
  ['silenced.c', withAddressSanitizer, { A: 'in overflow ', B: 'in use_after_free ' }],
  ['races.cc', ['-fsanitize=fuzzer,thread'], { R: 'count_read', W: 'count_write' }],
  ['open-line.c', ['-fsanitize=fuzzer'], { S: 'sound ...', I: 'image ...' }],
  ['checks.cc', [...withAddressSanitizer, '-lglog'], { C: 'set_columns', R: 'set_rows' }],
  ['helpers.c', withAddressSanitizer, { M: 'read_magic', T: 'read_total' }],
  ['statuses.cc', [...withAddressSanitizer, ...withAbseil], { P: 'take_price', S: 'take_stock' }],
] as const)(
  '%s: two bugs become two groups with reports, and its job completes',
  async (source, flags, bugs) => {
    const targetPath = await buildProgram(source, flags);
    await expectGroups({ targetPath, bugs, evidence: / #\d+ 0x/ });
  },
);

testWith(
  { isThere: existsSync(atherisPython), name: 'Atheris' },
  'pages.py: two exceptions become two groups with their tracebacks',
  () =>
    expectGroups({
      targetPath: buildScript('pages.py', atherisPython),
      bugs: { T: 'in read_title', P: 'in read_page' },
      evidence: /Traceback \(most recent call last\):[\s\S]*\n(?:KeyError|IndexError): /,
    }),
);

const panics = [
  ['without a backtrace', '0', /panicked at .*main\.rs:\d+/],
  ['with a backtrace', '1', /panicked at [\s\S]*stack backtrace:[\s\S]*panics::/],
] as const;
for (const [promise, RUST_BACKTRACE, evidence] of panics)
  testWith(
    { isThere: existsSync(panicsProgram), name: 'cargo' },
    `panics: four panics become four groups, ${promise}`,
    () =>
      expectGroups({
        targetPath: panicsProgram,
        bugs: { C: 'columns', O: 'offset', T: 'Utf8Error', L: '`None`' },
        evidence,
        environment: { RUST_BACKTRACE },
      }),
  );
