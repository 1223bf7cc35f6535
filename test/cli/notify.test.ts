import { expect, test } from '@jest/globals';
import { runMasterFor } from '../harness.js';
import { Receiver, status } from '../state/notifications/receiver.js';
import { pandafuzz } from './run.js';

test('notify lists destinations, and has the master test one of them', async () => {
  const receiver = await Receiver.open();
  const list = `[{kind: slack, url: "${receiver.url}/T/secret-part", name: chat, projects: [night]}]`;
  const { address } = await runMasterFor({ PANDAFUZZ_NOTIFICATIONS_WEBHOOKS: list });
  const run = (...args: string[]) => pandafuzz(['notify', ...args, '--master', address]);

  const listed = await run('list', '--json');
  expect(JSON.parse(listed.out).destinations).toMatchObject([
    { name: 'chat', kind: 'slack', projects: ['night'] },
  ]);
  expect(listed.out).not.toContain('secret-part');

  expect(await run('test', 'chat')).toMatchObject({
    code: 0,
    out: 'chat has taken the test message\n',
  });
  expect(JSON.parse((await receiver.next()).body).text).toBe('Test of PandaFuzz');

  receiver.replies.push(status(410));
  expect(await run('test', 'chat')).toMatchObject({
    code: 1,
    err: expect.stringContaining('status 410; an event would be lost'),
  });
  expect(await run('test', 'chad')).toMatchObject({
    code: 1,
    err: expect.stringContaining('no destination is called chad'),
  });
});
