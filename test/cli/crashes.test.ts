import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { list, type ReadEntry } from 'tar';
import { unary } from '../../src/client/call.js';
import { JobOutcome } from '../../src/gen/pandafuzz/v1/job.js';
import { given, registerBot } from '../steps.js';
import { atWork } from './at-work.js';
import { crashScene, reporter, sample } from './crash-scene.js';
import { sarifErrors } from './sarif-schema.js';

/** Two crashes of one function, at two lines. */
const twoOfParse = [11, 22].map((line) =>
  [
    '==1==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x602000000011 at pc 0x55 bp 0x7f sp 0x7f',
    'READ of size 4 at 0x602000000011 thread T0',
    `    #0 0x55 in parse /src/png.c:${line}:3`,
    `    #1 0x56 in ${line === 11 ? 'read_png' : 'read_apng'} /src/png.c:90:3`,
    '    #2 0x57 in LLVMFuzzerTestOneInput /src/fuzzer.c:5:3',
    '',
  ].join('\n'),
) as [string, string];

/** Files of an archive by their paths. */
async function unpacked(file: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const onReadEntry = (entry: ReadEntry) => {
    const chunks: Buffer[] = [];
    entry.on('data', (chunk) => chunks.push(chunk));
    entry.on('end', () => files.set(entry.path, Buffer.concat(chunks)));
  };
  await list({ file, onReadEntry });
  return files;
}

describe('groups', () => {
  test('are listed with hits and kept inputs, and those that look alike are told apart', async () => {
    const { run, report } = await crashScene();
    await report(twoOfParse[0], 'one', { hits: 41 });
    await report(twoOfParse[0], 'two');
    await report(twoOfParse[1], 'three');
    const { out, code } = await run('crash', 'list');
    expect(code).toBe(0);
    const [head, second, first] = out.split('\n');
    expect(head).toMatch(
      /^group +status +kind +where +project +target +security +hits +kept +first +last$/,
    );
    expect(first).toMatch(
      / new +heap-buffer-overflow +parse png\.c:11 +default +png_fuzzer +yes +42 +2 /,
    );
    expect(second).toMatch(/ new +heap-buffer-overflow +parse png\.c:22 +.* 1 +1 /);
    expect((await run('stats')).out).toMatch(/groups +2\nhits +43\nkept +3\n/);
  });

  test('are found by what the options name', async () => {
    const { run, report } = await crashScene();
    await report(sample('asan-null'), 'one');
    await report(sample('go-index'), 'two');
    const listed = async (...options: string[]) =>
      JSON.parse((await run('crash', 'list', '--json', ...options)).out).groups.map(
        ({ kind }: { kind: string }) => kind,
      );
    expect(await listed()).toEqual(['panic', 'SEGV']);
    expect(await listed('--kind', 'SEGV', '--project', 'default')).toEqual(['SEGV']);
    expect(await listed('--text', 'png::READER', '--since', '1h', '--new')).toEqual(['SEGV']);
    expect(await listed('--since', '2100-01-01')).toEqual([]);
    expect(await listed('--target', 'other')).toEqual([]);
    const one =
      (await run('crash', 'list', '--kind', 'SEGV')).out.split('\n')[1]?.split(' ')[0] ?? '';
    const set = await run(
      'crash',
      'status',
      one,
      'Wontfix',
      '--note',
      'a\u001b[31m',
      '--by',
      'ann',
    );
    expect(set.out).toMatch(/ wont-fix +SEGV /);
    expect(await listed('--new')).toEqual(['panic']);
    expect(await listed('--status', 'wont-fix')).toEqual(['SEGV']);
    expect(await listed('--status', 'new')).toEqual(['panic']);
    const shown = (await run('crash', 'get', one)).out;
    expect(shown).toMatch(/status +wont-fix, set \d+ s ago by ann\nnote +a\ufffd\[31m\n/);
    expect((await run('crash', 'list', '--text', 'nothing of it')).out).toBe(
      'no crashes that match\n',
    );
    const more = await run('crash', 'list', '--limit', '1');
    expect(more.err).toBe('these are the newest 1: --limit shows more\n');
  });

  test('are shown with stack, command line and report, by the beginning of an id', async () => {
    const { run, report, targetSha256 } = await crashScene();
    const { groupId, crashId } = await report(sample('asan-heap-buffer-overflow'), 'input', {
      hits: 3,
    });
    const { out } = await run('crash', 'get', groupId.slice(0, 20));
    for (const line of [
      /^group +[0-9a-f-]{36}\nstatus +new\nkind +heap-buffer-overflow\n/,
      /\nsecurity +yes, memory outside of its object is accessed\naccess +(read|write) of \d+ bytes?\n/,
      /\nhits +3\nkept +1\nmet by +1 job on 1 bot, in 1 build\n/,
      /\ninput +5 B\n/,
      new RegExp(
        `\nbuild +${targetSha256}\nengine +libfuzzer, clang 14.0.6\nended with +exit code 1, `,
      ),
      /\nreproduced +not tried\n/,
      /\n\* #0 repeat_row {2}\/\S+\/target\.c:56\n/,
      /\n {2}#\d+ fuzzer::Fuzzer::ExecuteCallback/,
      new RegExp(`\n  \\$ pandafuzz crash download ${crashId} -o reproducer\n`),
      /\n {2}\$ ASAN_OPTIONS=detect_leaks=0 \.\/png_fuzzer -use_value_profile=1 -timeout=25 reproducer\n/,
      /\nreport\n/,
    ]) {
      expect(out).toMatch(line);
    }
    const whole = JSON.parse((await run('crash', 'get', crashId, '--json')).out);
    expect(whole).toMatchObject({
      group: { id: groupId, crashHits: 3 },
      crash: { id: crashId, context: { engine: 'libfuzzer' } },
    });
  });

  test('are merged, shown where they went, split and undone', async () => {
    const { run, report } = await crashScene();
    const one = await report(twoOfParse[0], 'one');
    const two = await report(twoOfParse[1], 'two');
    const merged = await run('crash', 'merge', two.groupId, '--into', one.groupId, '--by', 'ann');
    const decision = /pandafuzz crash undo (\S+)\n$/.exec(merged.out)?.[1] ?? '';
    expect(merged.out).toMatch(/heap-buffer-overflow +parse .* 2 +2 /);
    const gone = await run('crash', 'get', two.groupId, '--json');
    expect(gone.err).toBe(`pandafuzz: the group ${two.groupId} was merged into ${one.groupId}\n`);
    expect(JSON.parse(gone.out).group.id).toBe(one.groupId);
    expect(await run('crash', 'status', two.groupId, 'fixed')).toMatchObject({
      code: 1,
      err: expect.stringContaining(`merged into ${one.groupId}`),
    });
    expect((await run('crash', 'decisions')).out).toMatch(/ merge .* ann +\d+ s +-\n$/);
    expect((await run('crash', 'undo', decision.slice(0, 26))).out).toMatch(
      new RegExp(`^undone: 1 crash went back to ${two.groupId}, heap-buffer-overflow in parse`),
    );
    await report(twoOfParse[0], 'three');
    const split = await run('crash', 'split', one.groupId, one.crashId, '--json');
    expect(JSON.parse(split.out)).toMatchObject({
      group: { count: 1, firstCrashId: one.crashId },
      decisions: [{ kind: 'split', groupId: one.groupId }],
    });
    expect((await run('crash', 'regroup', '--dry-run')).out).toBe(
      '3 crashes read, 0 would move; 3 groups\n',
    );
  });
});

describe('an id', () => {
  test('that is short for several lists what they are; one of none says where ids are', async () => {
    const { run, report, job } = await crashScene();
    const one = await report(sample('asan-null'), 'one');
    const two = await report(sample('go-index'), 'two');
    const common = one.groupId.slice(0, 4);
    const ran = await run('crash', 'get', common);
    expect(ran).toMatchObject({ code: 1, out: '' });
    const [first, ...rest] = ran.err.trimEnd().split('\n');
    expect(first).toBe(`pandafuzz: ${common} begins the ids of 2 groups: give more of it`);
    expect(rest).toEqual([
      expect.stringMatching(
        new RegExp(`^  ${one.groupId.slice(0, 13)}\\S*  SEGV in png::Reader::null`),
      ),
      expect.stringMatching(new RegExp(`^  ${two.groupId.slice(0, 13)}\\S*  panic in `)),
    ]);
    expect(await run('crash', 'get', 'ffff')).toMatchObject({
      code: 1,
      err: 'pandafuzz: there is no group or crash whose id begins with ffff: "pandafuzz crash list" shows the ids\n',
    });
    expect((await run('job', 'get', 'nightly')).err).toBe(
      'pandafuzz: nightly does not begin an id: "pandafuzz job list" shows the ids\n',
    );
    expect((await run('job', 'cancel', 'ffff', job.id.slice(0, 16))).out).toMatch(
      / running \(stopping\)/,
    );
    expect((await run('bot', 'explain', '0')).out).toMatch(/offline/);
  });
});

describe('what was found', () => {
  test('is brought whole: all inputs, a folder for each group, and none twice', async () => {
    const { run, report, folder } = await crashScene();
    const { groupId } = await report(sample('asan-null'), 'one');
    await report(sample('asan-null'), 'two');
    await report(sample('go-index'), 'three');
    expect((await run('crash', 'download', '--all', 'all')).out).toBe(
      'all: 3 inputs of 2 groups, 3 of them new there\n',
    );
    const again = await run('crash', 'download', '--all', 'all', groupId, '--json');
    expect(JSON.parse(again.out)).toEqual({ folder: 'all', groups: 1, inputs: 2, added: 0 });
    const files = readdirSync(join(folder, 'all', `SEGV-${groupId}`));
    const inputs = files.map((name) =>
      readFileSync(join(folder, 'all', `SEGV-${groupId}`, name), 'utf8'),
    );
    expect(inputs.sort()).toEqual(['one', 'two']);
    expect(await run('crash', 'download')).toMatchObject({ code: 64 });
  });

  test('is packed with manifest, report and how to reproduce it', async () => {
    const { run, report, folder, targetSha256 } = await crashScene();
    const large = 'x'.repeat(700_001);
    const { groupId } = await report(sample('asan-null'), large);
    await report(sample('go-index'), '');
    expect((await run('crash', 'export')).out).toMatch(
      /^crashes\.tar\.gz: reproducers of 2 groups, /,
    );
    const files = await unpacked(join(folder, 'crashes.tar.gz'));
    expect([...files.keys()].filter((name) => name.startsWith('SEGV'))).toEqual(
      ['reproducer', 'report.txt', 'crash.json', 'README.md'].map(
        (name) => `SEGV-${groupId}/${name}`,
      ),
    );
    const manifest = JSON.parse(given(files.get('manifest.json')).toString());
    const entry = manifest.crashes.find((one: { groupId: string }) => one.groupId === groupId);
    expect(entry).toMatchObject({
      targetSha256,
      input: { file: `SEGV-${groupId}/reproducer`, sizeBytes: 700_001 },
      environment: { TMPDIR: '/data/bots/north/runs/1/tmp' },
      reproduce: {
        shell:
          'ASAN_OPTIONS=detect_leaks=0 ./png_fuzzer -use_value_profile=1 -timeout=25 reproducer',
      },
    });
    expect(given(files.get(entry.input.file)).toString()).toBe(large);
    expect(given(files.get(entry.report)).toString('latin1')).toContain('AddressSanitizer: SEGV');
    expect(given(files.get(`SEGV-${groupId}/README.md`)).toString()).toContain(
      entry.reproduce.shell,
    );
    expect(await run('crash', 'export')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/crashes\.tar\.gz is there already: give --force/),
    });
  });

  test('is reported as Markdown, JSON and valid SARIF', async () => {
    const { run, report, folder } = await crashScene();
    const { groupId } = await report(twoOfParse[0], 'one', { hits: 7 });
    await report(sample('go-index'), 'two');
    await report('nothing to read', 'three');
    const markdown = (await run('crash', 'report', groupId)).out;
    expect(markdown).toMatch(/^# Crashes\n\n## heap-buffer-overflow in parse \(png\.c:11\)\n/);
    expect(markdown).toMatch(/\n```text\n\* #0 parse {2}\/src\/png\.c:11\n/);
    const json = JSON.parse((await run('crash', 'report', '--format', 'json')).out);
    expect(json.crashes.map(({ group }: { group: { kind: string } }) => group.kind)).toEqual([
      'unknown',
      'panic',
      'heap-buffer-overflow',
    ]);
    const options = ['--format', 'sarif', '--source-root', '/src', '-o', 'all.sarif'];
    expect((await run('crash', 'report', ...options)).err).toBe('all.sarif: 3 groups\n');
    const sarif = JSON.parse(readFileSync(join(folder, 'all.sarif'), 'utf8'));
    expect(sarifErrors(sarif)).toEqual([]);
    const result = sarif.runs[0].results.at(-1);
    expect(result).toMatchObject({
      ruleId: 'heap-buffer-overflow',
      level: 'error',
      occurrenceCount: 7,
      fingerprints: { 'pandafuzz.group/v1': groupId },
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: 'png.c', uriBaseId: 'SRCROOT' },
            region: { startLine: 11 },
          },
        },
      ],
    });
    expect((await run('crash', 'report', '--kind', 'none')).out).toBe('# Crashes\n\nNone.\n');
  });
});

describe('a job that is waited for', () => {
  test.each([
    ['with crashes', true, 10],
    ['without crashes', false, 0],
  ])('%s says so by its exit code', async (_, crashes, expected) => {
    const { run, connection, folder } = await atWork();
    const bot = await registerBot(connection);
    const waiting = run(
      'job',
      'submit',
      'fuzzer',
      '--project',
      'png',
      '--wait',
      '--fail-on-crash',
      '--json',
    );
    const pull = { botId: bot.id, waitMs: 20_000, leaseTtlMs: 0 };
    const assigned = await unary(connection.jobs, connection.jobs.assignJob, pull, {
      timeoutMs: 25_000,
    });
    const { lease } = given(assigned.assignment);
    const report = reporter({ connection, folder, lease: given(lease), targetSha256: '' });
    if (crashes) await report(sample('asan-null'), 'input', { context: undefined });
    await unary(connection.jobs, connection.jobs.completeJob, {
      lease,
      result: { outcome: JobOutcome.COMPLETED, message: '', statistics: undefined },
    });
    const { code, out } = await waiting;
    expect(code).toBe(expected);
    expect(JSON.parse(out)).toMatchObject({
      jobs: [{ state: 'JOB_STATE_COMPLETED', spec: { project: 'png' } }],
      groups: crashes ? [{ kind: 'SEGV', project: 'png' }] : [],
    });
  });

  test('has to be one, for an exit code of crashes', async () => {
    const { run } = await atWork();
    expect(await run('job', 'submit', 'fuzzer', '--fail-on-crash')).toMatchObject({
      code: 64,
      err: expect.stringMatching(/--fail-on-crash goes with --wait/),
    });
  });
});
