import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { LeasePhase } from '../../../src/gen/pandafuzz/v1/heartbeat.js';
import { JobOutcome } from '../../../src/gen/pandafuzz/v1/job.js';
import { atEnd } from '../../harness.js';
import { pause } from '../../pause.js';
import { assignment, ScriptedMaster } from '../scripted-master.js';
import { startedAgent } from '../started-agent.js';

/** A target that speaks as libFuzzer does: one script to fuzz, one for an input that runs alone. */
const target = (fuzzing: string, alone = 'exit 0') => `#!/bin/sh
for argument; do case $argument in -artifact_prefix=*) prefix=\${argument#*=};; esac; done
for input; do :; done
line() { echo "artifact_prefix='$prefix'; Test unit written to \${prefix}$1" >&2; }
done_() { printf '#9\\tDONE   cov: 3 ft: 4 corp: 1/1b exec/s: 0 rss: 27Mb\\n' >&2; exit 0; }
[ -n "$prefix" ] || { ${alone}
}
printf '#2\\tINITED cov: 3 ft: 4 corp: 1/1b exec/s: 0 rss: 27Mb\\n' >&2
${fuzzing}
`;

const report = (frame: string) =>
  `echo "==$$==ERROR: AddressSanitizer: SEGV on unknown address" >&2; echo "    #0 0x1 in ${frame} /src/a.c:1:2" >&2`;

const nameOf = (input: string) => `crash-${createHash('sha1').update(input).digest('hex')}`;

/** A bot that runs this target. */
async function run(script: string) {
  const master = await new ScriptedMaster().start();
  atEnd(() => master.stop());
  await startedAgent(master.address);
  const { peer } = await master.nextStream();
  peer.welcome();
  const job = assignment(master.addArtifact(script));
  peer.assign(job);
  const result = async () => (await peer.next('jobDone')).result;
  return { master, peer, lease: job.lease, result };
}

test('an artifact that a full disk left empty is taken from the line in Base64', async () => {
  const script = `${report('broken')}; : > "\${prefix}${nameOf('boom')}"; line ${nameOf('boom')}
    echo "Base64: ${Buffer.from('boom').toString('base64')}" >&2; done_`;
  const { master, result } = await run(target(script));
  expect((await result())?.statistics).toMatchObject({ crashes: 1, crashInputsKept: 1 });
  expect(master.crashes.map(({ input }) => input.toString())).toEqual(['boom']);
});

test('an artifact that was cut off is not taken for the input, but counted and told', async () => {
  const script = `${report('broken')}; printf 'bo' > "\${prefix}${nameOf('boom')}"; line ${nameOf('boom')}; done_`;
  const { master, result } = await run(target(script));
  expect(await result()).toMatchObject({
    outcome: JobOutcome.COMPLETED,
    message: expect.stringContaining('1 crashing inputs are lost: a full disk cut them off'),
    statistics: { crashes: 1, crashInputsKept: 0 },
  });
  expect(master.crashes).toEqual([]);
});

test('an artifact that no line was printed of is replayed, with the input it has', async () => {
  const script = `printf 'boom' > "\${prefix}${nameOf('boom')}"; printf 'slow' > "\${prefix}slow-unit-1"; done_`;
  const { master, result } = await run(
    target(script, `cat "$input" >&2; ${report('alone')}; exit 1`),
  );
  await result();
  expect(master.crashes).toMatchObject([
    { report: { report: expect.stringMatching(/^boom==\d+==ERROR: .*\n.* in alone /) } },
  ]);
  expect(master.crashes[0]?.report.context).toMatchObject({ replayed: true, exitCode: 1 });
});

test('what stays unknown after a replay is kept by input, with what was printed', async () => {
  const script = `i=0; while [ $i -lt 6 ]; do i=$((i + 1)); printf "input $i" > "\${prefix}crash-$i"
    echo "odd end $i" >&2; line crash-$i; done; done_`;
  const { master, result } = await run(target(script));
  expect((await result())?.statistics).toMatchObject({ crashes: 6, crashInputsKept: 6 });
  expect(master.crashes).toHaveLength(6);
  expect(master.crashes[0]?.report.report).toMatch(/odd end 1\n/);
  expect(master.crashes[0]?.report.context).toMatchObject({ replayed: false, exitCode: 0 });
});

test('a crash comes while the engine goes on, and the same input again is a hit of it', async () => {
  const again = `printf 'boom' > "\${prefix}${nameOf('boom')}"; ${report('broken')}; line ${nameOf('boom')}`;
  const other = `printf 'bang' > "\${prefix}${nameOf('bang')}"; ${report('broken')}; line ${nameOf('bang')}; echo >&2`;
  const script = `${again}; ${again}; ${again}; ${other}
    trap 'exit 72' TERM; tail -f /dev/null & wait`;
  const { master } = await run(target(script));
  await master.crashesArrived(2);
  expect(master.crashes.map(({ input }) => input.toString())).toEqual(['boom', 'bang']);
  expect(master.crashes.map(({ report }) => report.hits)).toEqual([1, 3]);
  expect(master.crashes[0]?.report.context?.exitCode).toBeUndefined();
});

/** A crash in this frame, without names where the sanitizer may leave them out. */
const frame = (offset: string, name: string) =>
  `case $ASAN_OPTIONS in *symbolize=0*) frame="(/t/target+${offset})";; *) frame="in ${name} /src/a.c:1:2";; esac
  echo "==$$==ERROR: AddressSanitizer: SEGV on unknown address" >&2; echo "    #0 0x1 $frame" >&2`;

test('where restarts take most of the time, stacks have no names, and one that is new gets them alone', async () => {
  const script = `starts=$(cat starts 2>/dev/null); starts=$((starts + 1)); echo $starts > starts
    if [ $starts = 14 ]; then input=rare; ${frame('0x20', 'rare')}; else input="often $starts"; ${frame('0x10', 'often')}; fi
    case $ASAN_OPTIONS in *symbolize=0*) echo yes > nameless;; esac
    name=crash-$(printf '%s' "$input" | sha1sum | cut -d' ' -f1)
    printf '%s' "$input" > "$prefix$name"; line $name
    [ $starts = 16 ] && { cat nameless >&2; done_; }; exit 1`;
  const alone = `case "$(cat "$input")" in rare) ${frame('0x20', 'rare')};; *) ${frame('0x10', 'often')};; esac; exit 1`;
  const { master, result } = await run(target(script, alone));
  const { statistics, message } = (await result()) ?? {};
  expect(message).toMatch(/crashes in often end the target .* of the time goes into restarts/);
  expect(statistics).toMatchObject({ crashHits: 16, engineStarts: 16 });
  const reports = master.crashes.map(({ report: { report } }) => report);
  expect(reports.filter((text) => text.includes('in often'))).toHaveLength(3);
  expect(reports.filter((text) => text.includes('in rare'))).toHaveLength(1);
  expect(reports).toHaveLength(4);
  const rare = master.crashes.find(({ report }) => report.report.includes('in rare'));
  expect(rare?.report.context?.replayed).toBe(true);
});

test('a crash of a process that a signal ended says so', async () => {
  const script = `printf 'boom' > "\${prefix}${nameOf('boom')}"; ${report('broken')}; line ${nameOf('boom')}; kill -SEGV $$`;
  const { master } = await run(target(script));
  await master.crashesArrived(1);
  expect(master.crashes[0]?.report.context).toMatchObject({ signal: 'SIGSEGV' });
  expect(master.crashes[0]?.report.context?.exitCode).toBeUndefined();
});

test('a helper that a target leaves in a session of its own is gone when the run ends', async () => {
  const script = `setsid sh -c ': > stray-98765; exec tail -f stray-98765' >/dev/null 2>&1 &
    while [ ! -e stray-98765 ]; do :; done; done_`;
  const { result } = await run(target(script));
  await result();
  while (isRunning('tail -f stray-98765')) await pause();
});

function isRunning(command: string): boolean {
  return readdirSync('/proc').some((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim() === command;
    } catch {
      return false; // no process, or one that has just ended
    }
  });
}

test('what a run has met is replayed when it is stopped', async () => {
  const script = `printf boom > "\${prefix}${nameOf('boom')}"; exec tail -f /dev/null`;
  const { master, peer, lease, result } = await run(target(script, `${report('alone')}; exit 1`));
  await peer.next('beat', (beat) => beat.leases[0]?.phase === LeasePhase.FUZZING);
  peer.say({ $case: 'cancel', value: { lease } });
  await result();
  await master.crashesArrived(1);
  expect(master.crashes[0]?.report.report).toContain(' in alone ');
});
