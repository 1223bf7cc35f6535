import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { pulledLease } from '../steps.js';
import { atWork } from './at-work.js';
import { reporter, sample } from './crash-scene.js';

test('a campaign is reported in Markdown, HTML and JSON, with groups and their reproducers', async () => {
  const { run, folder, connection } = await atWork();
  const made = await run('campaign', 'create', 'night', 'fuzzer', '--no-check', '--json');
  const { builds } = JSON.parse(made.out).spec;
  const targetSha256: string = builds[0].targetSha256;
  const early = await run('campaign', 'report', 'night');
  expect(early).toMatchObject({ code: 0, err: '' });
  expect(early.out).toMatch(/^# Campaign night\n[\s\S]*\nNothing was measured yet\.\n/);
  expect(early.out).toContain('\n## Crash groups\n\nNone was met since it was made.\n');
  expect(early.out).toMatch(
    /\| libfuzzer \| libfuzzer \| \w{12} \| 0 \| 0 \| 0 s \| 0 \| 100 % \|/,
  );

  const lease = await pulledLease(connection);
  const report = reporter({ connection, folder, lease, targetSha256 });
  const { crashId } = await report(sample('asan-null'), 'one');
  await report(sample('go-index'), 'two');
  const whole = await run('campaign', 'report', 'night');
  expect(whole.out).toMatch(/^### SEGV in png::Reader/m);
  expect(whole.out).toContain(`\npandafuzz crash download ${crashId} -o reproducer\n`);
  expect(whole.out).toMatch(/^\| [0-9a-f-]{36} \| new \| 1 \| SEGV in /m);

  const file = join(folder, 'night.html');
  const written = await run('campaign', 'report', 'night', '--format', 'html', '-o', file);
  expect(written).toMatchObject({ code: 0, out: '', err: `${file}: 2 crash groups\n` });
  const html = readFileSync(file, 'utf8');
  expect(html).toMatch(/^<!doctype html>/);
  expect(html).toContain(`pandafuzz crash download ${crashId} -o reproducer`);
  // It is there already.
  expect(await run('campaign', 'report', 'night', '-o', file)).toMatchObject({ code: 1 });
  writeFileSync(file, '');
  await run('campaign', 'report', 'night', '--groups', '1', '--json', '--force', '-o', file);
  const json = JSON.parse(readFileSync(file, 'utf8'));
  expect(json).toMatchObject({
    campaign: { spec: { name: 'night' } },
    groups: [{ group: { kind: 'panic' }, reproducer: expect.any(Array) }],
    ...{ moreGroups: 1, areMoreGroups: false },
  });
  expect(await run('campaign', 'report', 'absent')).toMatchObject({
    ...{ code: 1, out: '' },
    err: expect.stringMatching(/^pandafuzz: there is no such campaign/),
  });
});
