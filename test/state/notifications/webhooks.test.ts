import { createHmac } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import {
  CampaignPolicies,
  CampaignPolicy,
} from '../../../src/gen/pandafuzz/v1/campaign_service.js';
import { markBack, markLost } from '../../../src/store/ops/bots/mark-lost.js';
import { markStuck } from '../../../src/store/ops/campaigns/mark-stuck.js';
import { moveCampaign } from '../../../src/store/ops/campaigns/move-campaign.js';
import { listEvents } from '../../../src/store/ops/events/list-events.js';
import { startWebhooks } from '../../../src/store/ops/notifications/start-webhooks.js';
import { eventually, given } from '../../steps.js';
import { withBot } from '../../store/inputs.js';
import { type Received, Receiver, status } from './receiver.js';
import { secret, WebhookScene } from './scene.js';

const events = (...received: Received[]) =>
  received.map(({ headers }) => headers['x-pandafuzz-event']);
const ids = (...received: Received[]) =>
  received.map(({ headers }) => headers['x-pandafuzz-delivery']);
const groupOf = ({ body }: Received) => JSON.parse(body).group;
const fromNowOn = { cursor: null, jobId: undefined, limit: 1 };
const minutes = (count: number) => count * 60_000;

describe('a webhook', () => {
  test('gets a new group, its fix and its reopening once each, in order', async () => {
    const receiver = await Receiver.open();
    const scene = await WebhookScene.open({ url: receiver.url, name: 'chat' });
    const id = await scene.crash('s');
    const first = await receiver.next();
    await scene.line('notification delivered');
    await scene.crash('s');
    await scene.fix(id);
    const second = await receiver.next();
    await scene.line('notification delivered');
    await scene.crash('s');
    const third = await receiver.next();
    await scene.line('notification delivered');
    expect(events(first, second, third)).toEqual([
      'crash_group.new',
      'crash_group.fixed',
      'crash_group.reopened',
    ]);
    expect(new Set(ids(first, second, third)).size).toBe(3);
    expect([first, second, third].map((one) => groupOf(one).status)).toEqual([
      'new',
      'fixed',
      'new',
    ]);
    await scene.stop();
    expect(receiver.inbox.size).toBe(0);
    expect(await scene.outcomes()).toEqual({ 'chat delivered': 3 });
  });

  test('gets what people want to know about the group, signed', async () => {
    const receiver = await Receiver.open();
    const url = `${receiver.url.replace('//', '//user:pass%20word@')}/hook?room=7`;
    const scene = await WebhookScene.open({ url, name: 'chat' });
    const id = await scene.crash('s');
    const crashedAt = new Date(scene.clock.now()).toISOString();
    const { path, headers, body } = await receiver.next();
    const timestamp = headers['x-pandafuzz-timestamp'];
    expect(Number(timestamp)).toBe(Math.floor(scene.clock.now() / 1000));
    const mac = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
    expect(headers).toMatchObject({
      'x-pandafuzz-signature': `sha256=${mac}`,
      'content-type': 'application/json',
      'user-agent': 'PandaFuzz/test',
      authorization: `Basic ${Buffer.from('user:pass word').toString('base64')}`,
    });
    expect(path).toBe('/hook?room=7');
    expect(JSON.parse(body)).toEqual({
      event: 'crash_group.new',
      time: crashedAt,
      delivery: headers['x-pandafuzz-delivery'],
      group: {
        id,
        project: 'default',
        target: 'demo',
        kind: 'SEGV',
        message: 'out of bounds',
        top_frame: 'f',
        location: 'f.c:3',
        hits: 1,
        kept: 1,
        status: 'new',
        security: true,
        first_seen: crashedAt,
        last_seen: crashedAt,
        fixed_in_sha256: '',
        merged_into: '',
        reproducer_crash_id: expect.any(String),
      },
    });
    expect((await scene.line('notification delivered')).delivery).toMatch(/^chat-\d+$/);
    expect(scene.logged).not.toContain(secret);
    expect(scene.logged).not.toMatch(/pass|room=7/);
  });

  test('gets the events and the project that it wants, and nothing of before it was added', async () => {
    const receiver = await Receiver.open();
    const scene = await WebhookScene.open();
    const old = await scene.crash('old', 'night');
    await scene.restart(
      { url: receiver.url, name: 'all' },
      { url: receiver.url, name: 'some', project: 'night', events: ['crash_group.fixed'] },
    );
    const other = await scene.crash('s', 'default');
    await scene.fix(other);
    await scene.fix(old);
    const received: Received[] = [];
    for (let count = 0; count < 4; count++) received.push(await receiver.next());
    const of = (name: string) =>
      received.filter((one) => JSON.parse(one.body).delivery.startsWith(name));
    expect(events(...of('all'))).toEqual([
      'crash_group.new',
      'crash_group.fixed',
      'crash_group.fixed',
    ]);
    expect(of('some').map((one) => groupOf(one).id)).toEqual([old]);
  });
});

describe('other events', () => {
  test('of campaigns and bots go to those that want them, those of bots to no project', async () => {
    const [all, one] = [await Receiver.open(), await Receiver.open()];
    const scene = await WebhookScene.open(
      { url: all.url, name: 'all' },
      { url: one.url, kind: 'slack', name: 'one', projects: ['night', 'default'] },
    );
    const id = await scene.campaign('png');
    const botId = await withBot(scene.store, 'north');
    const now = scene.clock.now();
    const stuck = { id, by: 'flat', reason: 'nothing new for 3 h', now };
    await scene.run(markStuck, stuck);
    await scene.run(markStuck, stuck);
    await scene.run(markLost, { ids: [botId], now });
    await scene.run(markLost, { ids: [botId], now });
    await scene.run(markBack, { ids: [botId], now });
    const end = { id, to: 'ended' as const, reason: 'its 3 CPU hours are used', dueAt: null, now };
    await scene.run(moveCampaign, { ...end, stopping: 0, from: ['active'] });
    const came: Received[] = [];
    for (let count = 0; count < 4; count++) came.push(await all.next());
    expect(events(...came)).toEqual(['campaign.stuck', 'bot.lost', 'bot.back', 'campaign.ended']);
    expect(came.map(({ body }) => JSON.parse(body))).toMatchObject([
      { campaign: { id, name: 'png', reason: 'flat: nothing new for 3 h' } },
      { bots: { count: 1, first: [{ id: botId, name: 'north' }] } },
      { bots: { count: 1 } },
      { campaign: { id, reason: 'its 3 CPU hours are used' } },
    ]);
    const texts = [await one.next(), await one.next()].map(({ body }) => JSON.parse(body).text);
    expect(texts).toEqual(['Campaign stuck: png', 'Campaign ended: png']);
    await eventually(async () => (await scene.outcomes())['one delivered'] === 2 || undefined);
    expect(one.inbox.size).toBe(0);
  });

  test('of a campaign that wants none are not sent', async () => {
    const receiver = await Receiver.open();
    const scene = await WebhookScene.open({ url: receiver.url, name: 'chat' });
    const policies = CampaignPolicies.create({ notify: CampaignPolicy.OFF });
    const now = scene.clock.now();
    const quiet = await scene.campaign('quiet', policies);
    await scene.run(markStuck, { id: quiet, by: 'flat', reason: 'nothing new', now });
    const loud = await scene.campaign('loud');
    await scene.run(markStuck, { id: loud, by: 'flat', reason: 'nothing new', now });
    expect(JSON.parse((await receiver.next()).body).campaign.name).toBe('loud');
  });

  test.each([
    ['slack', 'blocks'],
    ['discord', 'embeds'],
    ['teams', 'attachments'],
  ])('and crash groups have the form of %s, unsigned', async (kind, key) => {
    const receiver = await Receiver.open(status(429, { 'retry-after': '2' }), status(204));
    const scene = await WebhookScene.open({ url: receiver.url, kind, name: 'chat' });
    await scene.crash('s');
    const { body } = await receiver.next();
    expect(await scene.line('notification failing')).toMatchObject({ pauseMs: 2000 });
    scene.clock.advance(2000);
    const again = await receiver.next();
    await scene.line('notification delivered');
    expect(again.body).toBe(body);
    expect(JSON.parse(body)).toHaveProperty(key);
    expect(Object.keys(again.headers).filter((name) => name.startsWith('x-pandafuzz'))).toEqual([]);
  });
});

describe('a delivery that fails', () => {
  test('is tried again with growing pauses until it is acknowledged, the next ones after it', async () => {
    const receiver = await Receiver.open(status(500), 'hang', status(200));
    const scene = await WebhookScene.open({ url: receiver.url, name: 'chat' });
    await scene.crash('s');
    await scene.crash('t');
    const first = await receiver.next();
    expect(await scene.line('notification failing')).toMatchObject({
      why: 'status 500',
      tries: 1,
      pauseMs: 1000,
      level: 40,
    });
    expect(scene.failing()).toMatchObject([{ name: 'chat', why: 'status 500' }]);
    scene.clock.advance(999);
    expect(receiver.inbox.size).toBe(0);
    scene.clock.advance(1);
    const second = await receiver.next();
    scene.clock.advance(10_000);
    expect(await scene.line('notification failing')).toMatchObject({ tries: 2, pauseMs: 2000 });
    await receiver.cut.next();
    scene.clock.advance(2000);
    const third = await receiver.next();
    await scene.line('notification delivered');
    const fourth = await receiver.next();
    await scene.line('notification delivered');
    const [one, ...again] = ids(first, second, third, fourth);
    expect(again).toEqual([one, one, expect.not.stringMatching(`^${one}$`)]);
    expect([second.body, third.body]).toEqual([first.body, first.body]);
    const signatures = [first, second, third].map((it) => it.headers['x-pandafuzz-signature']);
    expect(new Set(signatures).size).toBe(3);
    expect(scene.failing()).toEqual([]);
    expect(await scene.outcomes()).toEqual({ 'chat delivered': 2 });
  });

  test.each([408, 425, 429, 502, 301])('by status %i is tried again', async (code) => {
    const receiver = await Receiver.open(status(code, { location: '/elsewhere' }));
    const scene = await WebhookScene.open({ url: receiver.url });
    await scene.crash('s');
    await receiver.next();
    await scene.line('notification failing');
    scene.clock.advance(1000);
    expect((await receiver.next()).path).toBe('/');
    await scene.line('notification delivered');
  });

  test.each([400, 401, 404, 410])(
    'by status %i is refused, and the next one goes',
    async (code) => {
      const receiver = await Receiver.open(status(code));
      const scene = await WebhookScene.open({ url: receiver.url, name: 'chat' });
      await scene.crash('s');
      await scene.crash('t');
      const [first] = ids(await receiver.next());
      expect(await scene.line('notification refused')).toMatchObject({
        status: code,
        delivery: first,
      });
      expect(ids(await receiver.next())).not.toEqual([first]);
      await scene.line('notification delivered');
      expect(await scene.outcomes()).toEqual({ 'chat refused': 1, 'chat delivered': 1 });
    },
  );

  test('waits as long as Retry-After wants, an hour at most', async () => {
    const receiver = await Receiver.open();
    const scene = await WebhookScene.open({ url: receiver.url });
    const inAMinute = new Date(scene.clock.now() + minutes(1)).toUTCString();
    for (const value of [inAMinute, '30', '86400', 'soon', '-5']) {
      receiver.replies.push(status(503, { 'retry-after': value }));
    }
    await scene.crash('s');
    const pauses: number[] = [];
    for (let count = 0; count < 5; count++) {
      await receiver.next();
      const { pauseMs } = await scene.line('notification failing');
      pauses.push(pauseMs);
      scene.clock.advance(pauseMs);
    }
    expect(pauses).toEqual([minutes(1), 30_000, minutes(60), 8000, 16_000]);
    await scene.line('notification delivered');
  });

  test('is given up once its time is over, the next one tried for its own', async () => {
    const receiver = await Receiver.open();
    const scene = await WebhookScene.open({ url: receiver.url, name: 'chat' });
    receiver.replies.push(...Array.from({ length: 200 }, () => status(500)));
    await scene.crash('s');
    const startedAt = scene.clock.now();
    let [late, line] = [false, await scene.log.next()];
    for (; line.msg !== 'notification given up'; line = await scene.log.next()) {
      if (line.msg !== 'notification failing') continue;
      if (!late && scene.clock.now() - startedAt > minutes(60)) {
        late = true;
        await scene.crash('t');
      }
      scene.clock.advance(line.pauseMs);
    }
    const hours = (scene.clock.now() - startedAt) / minutes(60);
    expect(hours).toBeGreaterThanOrEqual(24);
    expect(hours).toBeLessThan(24.2);
    // No pause was longer than ten minutes.
    expect(200 - receiver.replies.length).toBeGreaterThan(144);
    expect(await scene.line('notification failing')).toMatchObject({ why: 'status 500' });
    expect(await scene.pendingAgeSeconds()).toBeGreaterThan(22 * 3600);
    receiver.replies.length = 0;
    scene.clock.advance(minutes(10));
    await scene.line('notification delivered');
    expect(await scene.outcomes()).toEqual({ 'chat given_up': 1, 'chat delivered': 1 });
    expect(await scene.pendingAgeSeconds()).toBe(0);
  });

  test('holds no other webhook up', async () => {
    const [stuck, quick] = [await Receiver.open('hang'), await Receiver.open()];
    const scene = await WebhookScene.open({ url: stuck.url }, { url: quick.url });
    await scene.crash('s');
    await Promise.all([stuck.next(), quick.next()]);
    await scene.line('notification delivered');
    await scene.crash('t');
    await quick.next();
    await scene.line('notification delivered');
    expect(stuck.inbox.size).toBe(0);
  });

  test('costs no more than a few bytes of an endless answer', async () => {
    const receiver = await Receiver.open((response) => {
      response.writeHead(200);
      const more = () => {
        while (response.write(Buffer.alloc(4096)));
      };
      response.on('drain', more);
      more();
    });
    const scene = await WebhookScene.open({ url: receiver.url });
    await scene.crash('s');
    await receiver.cut.next();
    await scene.line('notification delivered');
  });

  test('is acknowledged by its status, though the answer breaks off', async () => {
    const receiver = await Receiver.open((response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('begun', () => response.socket?.end());
    });
    const scene = await WebhookScene.open({ url: receiver.url });
    await scene.crash('s');
    await receiver.next();
    expect((await scene.log.next()).msg).toBe('destination added');
    expect((await scene.log.next()).msg).toBe('notification delivered');
  });
});

describe('a restart', () => {
  test('goes on with the delivery that was failing, by the same id', async () => {
    const receiver = await Receiver.open(status(500), status(503));
    const hook = { url: receiver.url, name: 'chat' };
    const scene = await WebhookScene.open(hook);
    await scene.crash('s');
    await scene.crash('t');
    const first = await receiver.next();
    await scene.line('notification failing');
    await scene.restart(hook);
    const second = await receiver.next();
    await scene.line('notification failing');
    scene.clock.advance(1000);
    const [third, fourth] = [await receiver.next(), await receiver.next()];
    expect(ids(second, third)).toEqual([...ids(first), ...ids(first)]);
    expect(ids(fourth)).not.toEqual(ids(first));
    await scene.line('notification delivered');
    await scene.line('notification delivered');
    await scene.restart(hook);
    const id = await scene.crash('u');
    expect(groupOf(await receiver.next()).id).toBe(id);
  });

  test('counts the time of giving up from the first failure on disk', async () => {
    const receiver = await Receiver.open(status(500), status(500));
    const hook = { url: receiver.url, name: 'chat' };
    const scene = await WebhookScene.open(hook);
    await scene.crash('s');
    await scene.line('notification failing');
    await scene.stop();
    scene.clock.advance(minutes(24 * 60));
    await scene.restart(hook);
    await scene.line('notification given up');
  });

  test('ends a delivery under way at once, and makes it again', async () => {
    const receiver = await Receiver.open('hang');
    const hook = { url: receiver.url, name: 'chat' };
    const scene = await WebhookScene.open(hook);
    await scene.crash('s');
    const first = await receiver.next();
    await scene.stop();
    await receiver.cut.next();
    expect(scene.clock.pending).toBe(0);
    await scene.restart(hook);
    expect(ids(await receiver.next())).toEqual(ids(first));
    expect(await scene.outcomes()).toEqual({});
  });

  test('forgets a webhook that was removed: one of its name begins anew', async () => {
    const receiver = await Receiver.open(status(500));
    const hook = { url: receiver.url, name: 'chat' };
    const scene = await WebhookScene.open(hook);
    await scene.crash('s');
    await scene.line('notification failing');
    await receiver.next();
    await scene.restart();
    expect(await scene.line('destination removed')).toMatchObject({ destination: 'chat' });
    await scene.restart(hook);
    expect(await scene.line('destination added')).toMatchObject({ destination: 'chat' });
    const id = await scene.crash('t');
    expect(groupOf(await receiver.next()).id).toBe(id);
  });

  test('says which events retention has removed before they went, and goes on', async () => {
    const receiver = await Receiver.open(status(500));
    const hook = { url: receiver.url, name: 'chat' };
    const scene = await WebhookScene.open(hook);
    await scene.crash('s');
    await receiver.next();
    await scene.line('notification failing');
    await scene.stop();
    const id = await scene.crash('t');
    await scene.forget();
    await scene.restart(hook);
    expect(await scene.line('notification events missed')).toMatchObject({
      ...{ destination: 'chat', kind: 'json' },
      level: 40,
      after: expect.any(Number),
      upTo: expect.any(Number),
    });
    expect(groupOf(await receiver.next()).id).toBe(id);
  });

  test('complains of nothing missed where there was nothing to deliver', async () => {
    const receiver = await Receiver.open();
    const hook = { url: receiver.url, name: 'chat', events: ['crash_group.new'] };
    const scene = await WebhookScene.open(hook);
    await scene.fix(await scene.crash('s'));
    await scene.line('notification delivered');
    await scene.crash('s');
    // It goes to disk once a minute how far a webhook has looked.
    const { cursor: newest } = await scene.run(listEvents, fromNowOn);
    await eventually(async () => {
      scene.clock.advance(minutes(1));
      const { rows } = await scene.run(startWebhooks, ['chat']);
      return given(rows[0]).cursor === newest || undefined;
    });
    await scene.forget();
    await scene.restart(hook);
    await scene.crash('t');
    await scene.line('notification delivered');
    expect(scene.logged).not.toContain('missed');
  });
});
