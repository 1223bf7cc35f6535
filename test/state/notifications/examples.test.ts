import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { headersOf } from '../../../src/state/notifications/message.js';
import { temporaryFolder } from '../../harness.js';
import { given } from '../../steps.js';

const secret = 'a secret with an ü in it';
const body = '{"event":"crash_group.new","message":"für"}';
const delivery = { id: 'chat-1', event: 'crash_group.new', body };

const headersAt = (now: number) => headersOf(delivery, { secret, now, version: 'test' });
const now = Date.now();
const headers = headersAt(now);

/** Messages, and whether they are genuine. */
const cases: [boolean, { secret: string; headers: Record<string, string>; body: string }][] = [
  [true, { secret, headers, body }],
  [false, { secret, headers, body: `${body} ` }],
  [false, { secret: 'another secret of mine', headers, body }],
  [false, { secret, headers: headersAt(now - 3_600_000), body }],
  [false, { secret, headers: { ...headers, 'X-PandaFuzz-Timestamp': '' }, body }],
  [false, { secret, headers: { ...headers, 'X-PandaFuzz-Signature': 'sha256=' }, body }],
  [false, { secret, headers: {}, body }],
];
const expected = cases.map(([isGenuine]) => isGenuine);
const messages = cases.map(([, message]) => message);

const example = (language: string) =>
  given(
    new RegExp(`^\`\`\`${language}\\n(.+?)^\`\`\``, 'ms').exec(
      readFileSync('docs/webhooks.md', 'utf8'),
    )?.[1],
  );

/** The JSON that a program writes. */
async function output(program: string, name: string, code: string): Promise<unknown> {
  const file = join(temporaryFolder(), name);
  writeFileSync(file, code);
  const { stdout } = await promisify(execFile)(program, [file]);
  return JSON.parse(stdout);
}

test("the documents' check in Node knows genuine messages", async () => {
  const lowered = messages.map((message) => ({
    ...message,
    headers: Object.fromEntries(
      Object.entries(message.headers).map(([name, value]) => [name.toLowerCase(), value]),
    ),
  }));
  const code = `${example('js')}
    const messages = ${JSON.stringify(lowered)};
    console.log(JSON.stringify(messages.map((one) =>
      isGenuine(one.secret, one.headers, Buffer.from(one.body)))));`;
  expect(await output(process.execPath, 'example.mjs', code)).toEqual(expected);
});

test("the documents' check in Python knows genuine messages", async () => {
  const code = `${example('python')}
import json
messages = json.loads(${JSON.stringify(JSON.stringify(messages))})
print(json.dumps([is_genuine(m["secret"], m["headers"], m["body"].encode()) for m in messages]))
`;
  expect(await output('python3', 'example.py', code)).toEqual(expected);
});
