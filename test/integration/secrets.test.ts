import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import { pandafuzz } from '../cli/run.js';
import { Process, place, reach } from '../processes.js';
import { eventually, given } from '../steps.js';

/** Not in this form in any file: the target gets it in its environment alone. */
const value = ['sesame', 'open', randomBytes(8).toString('hex')].join('-');

/** Speaks as libFuzzer does, tells a hash of its secret, shows it everywhere, and crashes. */
const target = `#!/bin/sh
for argument; do case $argument in -artifact_prefix=*) prefix=\${argument#*=};; esac; done
printf '#2\\tINITED cov: 3 ft: 4 corp: 1/1b exec/s: 0 rss: 27Mb\\n' >&2
echo "hash $(printf %s "$API" | sha256sum | cut -c 1-64)" >&2
echo "the secret is $API" >&2
for file in /proc/[0-9]*/cmdline; do
  line=$(tr '\\0' ' ' < $file 2>/dev/null)
  case $line in *"$API"*) echo "IN A COMMAND LINE: $file" >&2;; esac
done
env | grep -q PANDAFUZZ_SECRET && echo "AN OUTER NAME IS LEFT" >&2
echo "==$$==ERROR: AddressSanitizer: SEGV on unknown address $API" >&2
echo "    #0 0x1 in broken /src/a.c:1:2" >&2
printf input > "\${prefix}crash-1"
echo "artifact_prefix='$prefix'; Test unit written to \${prefix}crash-1" >&2
exit 77
`;

const everything = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => readFileSync(path, 'latin1').includes(value));

test('a target gets its secret, and nothing that is written or told has it', async () => {
  const { address, directory, environment } = await place();
  const key = randomBytes(32).toString('hex');
  const master = new Process(['master'], { ...environment, PANDAFUZZ_SECRETS_KEY: key });
  const connection = await reach(address);
  const work = join(directory, 'bot');
  const bot = new Process(['bot', '--name', 'north', '--slots', '1', '--log-level', 'debug'], {
    PANDAFUZZ_MASTER: address,
    PANDAFUZZ_BOT_WORK_DIR: work,
  });
  const options = { environment: { PANDAFUZZ_MASTER: address } };
  const secretFile = join(directory, 'secret.txt');
  writeFileSync(secretFile, `${value}\n`);
  const done = await pandafuzz(['secret', 'set', 'api', '--file', secretFile], options);
  expect(done).toMatchObject({ code: 0, err: '' });
  writeFileSync(secretFile, '');
  const file = join(directory, 'target');
  writeFileSync(file, target);
  chmodSync(file, 0o755);
  const wish = ['--engine', 'libfuzzer', '--env', 'API=secret:api', '--max-crashes', '1'];
  const { out: jobId, err } = await pandafuzz(['job', 'submit', file, ...wish], options);
  expect(err).toBe('');

  const { crashes } = connection;
  const page = { pageSize: 10, pageToken: '', groupId: '', jobId: jobId.trim() };
  const crashId = await eventually(async () => {
    const listed = await unary(crashes, crashes.listCrashes, page);
    return listed.crashes[0]?.id;
  });
  const { crash } = await unary(crashes, crashes.getCrash, { crashId });
  expect(given(crash).report).toContain('unknown address [secret api]');
  expect(given(crash).context?.environment['API']).toBe('secret:api');
  const log = await pandafuzz(['job', 'log', jobId.trim()], options);
  const hash = createHash('sha256').update(value).digest('hex');
  expect(log.out).toContain(`hash ${hash}`);
  expect(log.out).toContain('the secret is [secret api]');
  expect(log.out).not.toMatch(/IN A COMMAND LINE|AN OUTER NAME/);
  const shown = await Promise.all(
    [
      ['job', 'get', jobId.trim(), '--json'],
      ['crash', 'get', crashId, '--json'],
      ['secret', 'list', '--json'],
      ['audit', '--json'],
      ['bot', 'log', 'north'],
    ].map(async (args) => (await pandafuzz(args, options)).out),
  );
  for (const process of [bot, master]) {
    process.end('SIGTERM');
    await process.exited;
  }
  expect(
    [...shown, JSON.stringify(crash), log.out, bot.said, master.said].join('\n'),
  ).not.toContain(value);
  expect(everything(directory)).toEqual([]);
});
