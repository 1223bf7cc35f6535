import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { pulledLease } from '../steps.js';
import { atWork } from './at-work.js';

test('a campaign is made, explained, changed, paused and archived by name, and says what happened', async () => {
  const { run, folder, connection } = await atWork();
  const made = await run(
    ...['campaign', 'create', 'night', 'fuzzer', '--seeds', 'seeds', '--weight', '2'],
    ...['--sanitizer', 'address', '--until-quiet', '24', '--json', '--', '-use_value_profile=1'],
  );
  expect(made).toMatchObject({ code: 0, err: '' });
  const { id, spec } = JSON.parse(made.out);
  expect(spec).toMatchObject({
    targetName: 'fuzzer',
    weight: 2,
    until: { quietCpuHours: 24 },
    arguments: ['-use_value_profile=1'],
    builds: [{ name: 'libfuzzer-address', engine: 'libfuzzer' }],
  });
  expect((await run('campaign', 'list')).out).toMatch(/^campaign +state .*\nnight +active +fuzzer/);
  expect((await run('campaign', 'explain', 'night')).out).toMatch(
    /^no bot is online\n\nbuild .*\nlibfuzzer-address .* 100 % /,
  );
  // Its runs are jobs, which a bot gets as any other.
  const { jobId } = await pulledLease(connection);
  expect((await run('job', 'get', jobId)).out).toMatch(/campaign +default\/night/);

  writeFileSync(join(folder, 'fuzzer'), '#!/bin/sh\nexit 1\n');
  const updated = await run('campaign', 'update', 'night', '--target', './fuzzer', '--weight', '3');
  expect(updated).toMatchObject({ code: 0, err: '' });
  const got = await run('campaign', 'get', id.slice(0, 20));
  expect(got.out).toMatch(/weight +3/);
  expect(got.out).toMatch(
    /^is there more to find\?\ntoo early to say whether there is more to find: 0 of 12 runs, 0 of 2 CPU hours$/m,
  );
  expect(got.out).toMatch(/until +nothing new in 24 CPU hours/);
  expect(got.out).toMatch(/earlier build +artifact .*\nlibfuzzer-address/);
  expect(got.out).toMatch(
    /updated +build libfuzzer-address: \w{12} takes over from \w{12}; weight 2 -> 3/,
  );

  expect((await run('campaign', 'pause', 'night', '--reason', 'for the night')).out).toMatch(
    /night +paused/,
  );
  const resumed = await run('campaign', 'resume', 'night', 'absent');
  expect(resumed).toMatchObject({ code: 1, err: expect.stringMatching(/^pandafuzz: absent: /) });
  expect((await run('campaign', 'archive', 'night')).out).toMatch(/night +archived/);
  expect((await run('campaign', 'list')).out).toMatch(/^no campaigns: /);
  const history = JSON.parse((await run('campaign', 'history', 'night', '--json')).out);
  expect(history.events.map(({ kind }: { kind: string }) => kind)).toEqual([
    'archived',
    'resumed',
    'paused',
    'updated',
    'created',
  ]);
  expect(history.events[2].text).toBe('for the night');
});

test('builds are told apart by engine and name, and what is not clear is refused', async () => {
  const { run } = await atWork();
  const create = (...args: string[]) => run('campaign', 'create', ...args, '--no-check');
  expect(await create('png')).toMatchObject({ code: 64 });
  // As job submit, fuzz and ci do: a path of this machine means nothing to a bot.
  expect(await create('png', 'fuzzer', '--', '-dict=./png.dict')).toMatchObject({
    code: 64,
    err: expect.stringContaining('send the dictionary with --dict ./png.dict, before the --'),
  });
  const two = await create('png', 'fuzzer', 'fuzzer', '--json');
  const { spec } = JSON.parse(two.out);
  expect(spec.builds.map(({ name }: { name: string }) => name)).toEqual([
    'libfuzzer',
    'libfuzzer-2',
  ]);
  const update = (...args: string[]) => run('campaign', 'update', 'png', '--no-check', ...args);
  expect(await update('fuzzer')).toMatchObject({
    code: 1,
    err: expect.stringMatching(/name one with --build \(libfuzzer, libfuzzer-2\)/),
  });
  const named = await update('fuzzer', '--build', 'libfuzzer-2', '--pin', 'libfuzzer=40%');
  expect(named.code).toBe(0);
  const added = await update('fuzzer', '--engine', 'aflplusplus', '--json');
  expect(JSON.parse(added.out).spec.builds).toMatchObject([
    { name: 'libfuzzer', pinnedPercent: 40 },
    { name: 'libfuzzer-2' },
    { name: 'aflplusplus' },
  ]);
  const less = await update('--remove-build', 'libfuzzer', '--json');
  expect(JSON.parse(less.out).arms.map(({ build }: { build: string }) => build)).toEqual([
    'libfuzzer-2',
    'aflplusplus',
  ]);
  expect(await update('--remove-build', 'none')).toMatchObject({ code: 64 });
});
