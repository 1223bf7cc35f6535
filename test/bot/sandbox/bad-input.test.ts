import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { CgroupTrees } from '../../../src/bot/sandbox/cgroups.js';
import { OutputRecord } from '../../../src/bot/sandbox/output-record.js';
import { startSandbox } from '../../../src/bot/sandbox/sandbox.js';
import { atEnd, temporaryFolder } from '../../harness.js';
import { patienceMs } from '../../patience.js';
import {
  type ContainedFolder,
  containedRun,
  containmentBy,
  harmless,
  ran,
  runOf,
  script,
  type WayName,
} from './contained.js';
import { describeWhere, isRoot } from './needs.js';

/** What targets do to their bots, to other runs, and to the machine. */

const every = ['bubblewrap', 'unshare', 'subreaper', 'group'] as const satisfies WayName[];
const namespaces = ['bubblewrap', 'unshare'] as const satisfies WayName[];
const mib = 2 ** 20;

const hasMemoryCgroup = (await CgroupTrees.find('pandafuzz-test-')).hasMemory;

/** A folder that users of runs can reach. */
function openFolder(): string {
  const folder = temporaryFolder();
  chmodSync(folder, 0o755);
  return folder;
}

const userOf = async (run: ContainedFolder) => Number((await ran(run, 'id -u')).text);

/** Its processes, but for those that have ended and are not collected yet. */
function livingOf(user: number): string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => {
    if (statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid !== user) return false;
    const state = existsSync(`/proc/${pid}/stat`)
      ? readFileSync(`/proc/${pid}/stat`, 'latin1')
      : '';
    return !/\) [ZX] /.test(state) && state !== '';
  });
}

describe.each(every)('a run by %s', (way) => {
  test('that prints up to 1 GiB without a newline takes no memory of the bot, and no time of others', async () => {
    const printedBytes = (way === 'group' ? 1024 : 64) * mib;
    const run = await containedRun(way);
    const record = new OutputRecord();
    let turns = 0;
    let isDone = false;
    const turn = () => {
      turns += 1;
      if (!isDone) setImmediate(turn);
    };
    turn();
    let sumBytes = 0;
    const before = process.memoryUsage();
    let mostBytes = 0;
    const sandbox = await startSandbox(run.tools, {
      file: '/usr/bin/head',
      args: ['-c', `${printedBytes}`, '/dev/zero'],
      environment: {},
      cwd: join(run.folder, 'work'),
      maxFileBytes: mib,
      onOutput: (chunk) => {
        record.push(chunk);
        sumBytes += chunk.length;
        const { heapUsed, external } = process.memoryUsage();
        mostBytes = Math.max(mostBytes, heapUsed + external - before.heapUsed - before.external);
      },
    });
    await expect(sandbox.exited).resolves.toMatchObject({ code: 0 });
    isDone = true;
    expect(sumBytes).toBe(printedBytes);
    expect(record.take().reduce((sum, { bytes }) => sum + bytes.length, 0)).toBeLessThan(mib);
    expect(mostBytes).toBeLessThan(160 * mib);
    expect(turns).toBeGreaterThan(50);
  });

  test('that closes all its files, and leaves something that does, is gone with it', async () => {
    const run = await containedRun(way);
    const text =
      'setsid sh -c "exec 0<&- 1>&- 2>&- 3>&-; : > ready; exec tail -f /dev/null" & ' +
      'while ! [ -e ready ]; do :; done; exec 0<&- 1>&- 2>&-; exit 5';
    await expect(ran(run, text)).resolves.toMatchObject({ code: 5, text: '' });
  });

  test('that fills its folder is ended, and says why', async () => {
    const run = await containedRun(way, { diskBytes: 32 * mib });
    const text =
      'i=0; while [ $i -lt 600 ]; do i=$((i+1)); head -c 500000 /dev/zero > big-$i; done; tail -f /dev/null';
    await expect(ran(run, text)).resolves.toMatchObject({
      broken: 'disk',
      why: expect.stringContaining('more than 32 MiB'),
    });
  });

  test('that makes empty files without end is ended as well', async () => {
    const run = await containedRun(way, { diskBytes: 4 * mib });
    const text = 'i=0; while [ $i -lt 5000 ]; do i=$((i+1)); : > empty-$i; done; tail -f /dev/null';
    await expect(ran(run, text)).resolves.toMatchObject({ broken: 'disk' });
  });

  test('cannot put another place under a folder that the bot will clear', async () => {
    const elsewhere = temporaryFolder();
    writeFileSync(join(elsewhere, 'precious'), 'of the bot');
    const run = await containedRun(way);
    const work = join(run.folder, 'work');
    await ran(run, `cd /; rm -rf ${work}; mv ${work} ${work}-2; ln -s ${elsewhere} ${work}`);
    writeFileSync(join(work, 'new'), 'of the next start');
    expect(readdirSync(elsewhere)).toEqual(['precious']);
  });

  test('may read what its job needs, as the system has it', async () => {
    const run = await containedRun(way);
    const text =
      'python3 -c "import json, ssl; print(1)" && perl -e "print 2" && ldconfig -p | head -1 >/dev/null && id -u >/dev/null && echo 3';
    await expect(ran(run, text)).resolves.toMatchObject({ code: 0, text: '1\n23\n' });
  });
});

describe.each(namespaces)('a run by %s', (way) => {
  test('writes nowhere but into its folders', async () => {
    const run = await containedRun(way);
    mkdirSync(join(run.workDir, 'spool'));
    writeFileSync(join(run.workDir, 'spool', 'crash'), 'found');
    const own = [run.workDir, join(run.workDir, 'spool'), run.folder, join(run.folder, 'bin')];
    const others = ['/', '/usr', '/etc', '/var', '/root', '/home', '/sys', '/proc/sys/kernel'];
    const marks = [...own, ...others].map((place) => `${place}/pf-was-here`);
    const text = marks
      .map((mark) => `touch ${mark} 2>/dev/null`)
      .concat(`rm -rf ${run.workDir}/spool 2>/dev/null`, ': > fine', 'ls')
      .join('\n');
    expect((await ran(run, text)).text).toBe('fine\n');
    // What it has above its folders is a small file system of its own, gone with it.
    expect(marks.filter((mark) => existsSync(mark))).toEqual([]);
    expect(readFileSync(join(run.workDir, 'spool', 'crash'), 'utf8')).toBe('found');
  });

  test('sees no process but its own', async () => {
    const { text } = await ran(await containedRun(way), 'ls /proc | grep -c "^[0-9]"');
    expect(Number(text)).toBeLessThan(10);
  });

  test('reaches no network, unless its job may', async () => {
    const server = createServer((socket) => socket.end('hello\n')).listen(0, '127.0.0.1');
    atEnd(() => new Promise((resolve) => server.close(resolve)));
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const text = `perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new("127.0.0.1:${port}") or do { print "none\\n"; exit }; print scalar <$s>'`;
    expect((await ran(await containedRun(way), text)).text).toBe('none\n');
    expect((await ran(await containedRun(way, { network: true }), text)).text).toBe('hello\n');
  });
});

describeWhere(isRoot, 'a user of its own for a run: the bot must be root')('a run', () => {
  test.each(every)(
    'by %s has a user of its own, with no rights, and gives it back',
    async (way) => {
      const workDir = openFolder();
      const containment = await containmentBy(way, workDir);
      const [first, second] = [
        await runOf(containment, workDir),
        await runOf(containment, workDir),
      ];
      const text =
        'id -u; grep -h ^CapEff /proc/self/status; ls -ln made | cut -d" " -f3; : > made';
      const [one, two] = [
        await ran(first, `: > made; ${text}`),
        await ran(second, `: > made; ${text}`),
      ];
      const [user, rights, owner] = one.text.split('\n');
      expect(Number(user)).toBeGreaterThanOrEqual(70_000);
      expect(rights).toBe('CapEff:\t0000000000000000');
      expect(owner).toBe(user);
      expect(two.text.split('\n')[0]).not.toBe(user);
      await first.release();
      const third = await runOf(containment, workDir);
      expect((await ran(third, 'id -u')).text.trim()).toBe(user);
    },
  );

  test.each(every)('by %s can signal neither the bot nor another run', async (way) => {
    const workDir = openFolder();
    const containment = await containmentBy(way, workDir);
    const other = await runOf(containment, workDir);
    const wait = 'echo ready; trap "exit 4" TERM; tail -f /dev/null & wait';
    const bystander = await script(other, wait);
    await bystander.said;
    const run = await runOf(containment, workDir);
    const theirs = join(other.folder, 'work', 'theirs');
    const text = harmless(
      [
        `touch ${theirs} 2>/dev/null && echo wrote`,
        `touch ${workDir}/mine 2>/dev/null && echo wrote`,
        'kill -KILL $PPID 2>/dev/null; kill -STOP -1 2>/dev/null; kill -KILL -1 2>/dev/null',
        'exit 6',
      ].join('\n'),
    );
    await expect(ran(run, text)).resolves.toMatchObject({ code: 6, text: '' });
    expect(existsSync(theirs)).toBe(false);
    bystander.sandbox.stop(patienceMs);
    await expect(bystander.sandbox.exited).resolves.toMatchObject({ code: 4 });
  });

  test.each(every)('by %s that forks without end is stopped at its bound', async (way) => {
    const run = await containedRun(way, { processes: 48 });
    const bounded = '[ "$(ulimit -p)" -le 48 ] || { echo no bound; exit 99; }\n';
    const many = `${bounded}exec perl -e '
      my $n = 0;
      for (1 .. 200) {
        my $pid = fork();
        last if !defined $pid;
        if (!$pid) { select undef, undef, undef, 600; exit }
        $n++;
      }
      print "$n\\n"'`;
    const { text } = await ran(run, harmless(many));
    expect(Number(text)).toBeGreaterThan(10);
    expect(Number(text)).toBeLessThanOrEqual(48);

    const bomb = `${bounded}bomb() { bomb & bomb & wait; }; echo ready; bomb 2>/dev/null`;
    const bombing = await containedRun(way, { processes: 48 });
    const user = await userOf(bombing);
    const { sandbox, said } = await script(bombing, harmless(bomb));
    expect(await said).toBe('ready\n');
    sandbox.kill();
    await expect(sandbox.exited).resolves.toMatchObject({ signal: 'SIGKILL' });
    expect(livingOf(user)).toEqual([]);
  });
});

describeWhere(isRoot && hasMemoryCgroup, 'the memory of a run as a whole: cgroups')('a run', () => {
  test.each(every)('by %s that takes memory without end is ended, and says why', async (way) => {
    const run = await containedRun(way, { memoryBytes: 64 * mib });
    const text = `exec perl -e 'my @all; push @all, "x" x 1048576 for 1 .. 512; print scalar @all'`;
    await expect(ran(run, text)).resolves.toMatchObject({
      text: expect.not.stringContaining('512'),
      broken: 'memory',
      why: expect.stringContaining('more than 64 MiB'),
    });
  });
});
