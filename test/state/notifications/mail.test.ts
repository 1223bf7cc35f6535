import { describe, expect, test } from '@jest/globals';
import type { EmailConfig } from '../../../src/config/emails.js';
import { systemClock } from '../../../src/core/clock.js';
import { LightSignal } from '../../../src/core/signal.js';
import { sendMail } from '../../../src/state/notifications/mail.js';
import { groupDelivery } from './deliveries.js';
import { Mailbox } from './mailbox.js';
import { WebhookScene } from './scene.js';

const mailTo = (port: number, more: object = {}) => ({
  ...{ name: 'mail', to: ['ann@example.org', 'team@example.org'], from: 'fuzz@example.org' },
  server: `smtp://127.0.0.1:${port}`,
  ...more,
});

const configOf = (port: number, more: Partial<EmailConfig> = {}): EmailConfig => ({
  ...{ kind: 'email', name: 'mail', events: ['crash_group.new'], projects: [] },
  ...{ to: ['ann@example.org'], from: 'fuzz@example.org' },
  server: { host: '127.0.0.1', port, isSecure: false, tls: 'offered' },
  login: { user: '', password: '' },
  ...more,
});

const within = () => ({ clock: systemClock, timeoutMs: 60_000, signal: new LightSignal() });

const header = (raw: string, name: string) =>
  new RegExp(`^${name}: (.*(?:\\r\\n[ \\t].*)*)`, 'mi').exec(raw)?.[1];

describe('a mail', () => {
  test('comes once for an event, with what it is about, and the same id in each try', async () => {
    const mailbox = await Mailbox.open();
    mailbox.refusals.push({ code: 451, text: 'come again' });
    const scene = await WebhookScene.open(mailTo(mailbox.port));
    const groupId = await scene.crash('s');
    expect(await scene.line('notification failing')).toMatchObject({
      why: expect.stringContaining('451'),
    });
    scene.clock.advance(1000);
    const { from, to, raw } = await mailbox.next();
    await scene.line('notification delivered');
    expect([from, to]).toEqual(['fuzz@example.org', ['ann@example.org', 'team@example.org']]);
    expect(header(raw, 'Subject')).toContain('[PandaFuzz] New crash: SEGV in f (demo)');
    expect(header(raw, 'Message-ID')).toMatch(/^<mail-\d+\.\d+@example\.org>$/);
    expect(header(raw, 'Auto-Submitted')).toBe('auto-generated');
    expect(raw).toContain(`pandafuzz crash get ${groupId}`);
    expect(raw).toContain('out of bounds');
    expect(await scene.outcomes()).toEqual({ 'mail delivered': 1 });
  });

  test('survives a restart of the master: it comes after it, once', async () => {
    const mailbox = await Mailbox.open();
    mailbox.refusals.push({ code: 451, text: 'come again' });
    const scene = await WebhookScene.open(mailTo(mailbox.port));
    await scene.crash('s');
    await scene.line('notification failing');
    await scene.restart(mailTo(mailbox.port));
    await scene.line('notification delivered');
    await scene.restart(mailTo(mailbox.port));
    await scene.fix(await scene.crash('s'));
    const subjects = [await mailbox.next(), await mailbox.next()].map(({ raw }) =>
      header(raw, 'Subject'),
    );
    expect(subjects).toEqual([
      expect.stringContaining('New crash'),
      expect.stringContaining('Crash fixed'),
    ]);
  });

  test('that the server will never take is refused, and the next one goes', async () => {
    const mailbox = await Mailbox.open();
    mailbox.refusals.push({ code: 552, text: 'too large for us' });
    const scene = await WebhookScene.open(mailTo(mailbox.port));
    await scene.crash('s');
    await scene.crash('t');
    expect(await scene.line('notification refused')).toMatchObject({ status: 552 });
    await mailbox.next();
    await scene.line('notification delivered');
    expect(await scene.outcomes()).toEqual({ 'mail refused': 1, 'mail delivered': 1 });
  });

  test('goes by a login, and one that is refused is tried again', async () => {
    const mailbox = await Mailbox.open({
      authOptional: false,
      allowInsecureAuth: true,
      onAuth: ({ username, password }, _session, done) =>
        password === 'right' ? done(null, { user: username }) : done(new Error('who are you?')),
    });
    const login = { user: 'fuzz', password: 'right' };
    expect(await sendMail(configOf(mailbox.port, { login }), groupDelivery(), within())).toEqual({
      kind: 'delivered',
    });
    expect((await mailbox.next()).user).toBe('fuzz');
    const wrong = configOf(mailbox.port, { login: { ...login, password: 'wrong' } });
    await expect(sendMail(wrong, groupDelivery(), within())).rejects.toThrow(/who are you|535/);
  });

  test('is not sent without TLS where TLS is required', async () => {
    const mailbox = await Mailbox.open();
    const config = configOf(mailbox.port);
    const strict = { ...config, server: { ...config.server, tls: 'required' as const } };
    await expect(sendMail(strict, groupDelivery(), within())).rejects.toThrow(/STARTTLS|TLS/i);
    expect(mailbox.inbox.size).toBe(0);
  });

  test('ends at once when the master stops, and says which server does not answer', async () => {
    const mailbox = await Mailbox.open({ onConnect: () => {} });
    const signal = new LightSignal();
    const sending = sendMail(configOf(mailbox.port), groupDelivery(), { ...within(), signal });
    signal.abort(new Error('stopping'));
    await expect(sending).rejects.toThrow('stopping');
    await expect(sendMail(configOf(1), groupDelivery(), within())).rejects.toThrow(/ECONNREFUSED/);
  });

  test('has no header that a target wrote', async () => {
    const mailbox = await Mailbox.open();
    const hostile = 'x\r\nBcc: all@example.org\r\n\r\nHello <script>alert(1)</script>\r\n.\r\nQUIT';
    const delivery = groupDelivery({ kind: hostile, top_frame: hostile, message: hostile });
    await sendMail(configOf(mailbox.port), delivery, within());
    const { raw, to } = await mailbox.next();
    expect(to).toEqual(['ann@example.org']);
    const [headers = ''] = raw.split('\r\n\r\n');
    expect(headers).not.toMatch(/^Bcc:/im);
    expect(header(raw, 'Content-Type')).toMatch(/^text\/plain/);
    expect(mailbox.inbox.size).toBe(0);
  });
});
