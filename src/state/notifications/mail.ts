import { hostname } from 'node:os';
import type { EmailConfig } from '../../config/emails.js';
import type { Clock } from '../../core/clock.js';
import { codeOf, messageOf, TimeoutError } from '../../core/errors.js';
import type { Signal } from '../../core/signal.js';
import { emailText } from './bodies/email.js';
import { cardOf } from './card.js';
import type { Delivery } from './delivery.js';
import type { Verdict } from './verdict.js';

/** Of an answer of the server, characters. */
const longestReason = 200;

/**
 * Gives a delivery to an SMTP server, once. It is delivered when the server took it for one
 * recipient at least.
 *
 * @throws TimeoutError; the signal's reason; the error of nodemailer when the server is not reached
 */
export async function sendMail(
  email: EmailConfig,
  delivery: Delivery,
  within: { clock: Clock; timeoutMs: number; signal: Signal },
): Promise<Verdict> {
  const { clock, timeoutMs, signal } = within;
  signal.throwIfAborted();
  // Only masters with mail among their destinations load it.
  const [{ default: SMTPConnection }, raw] = await Promise.all([
    import('nodemailer/lib/smtp-connection'),
    composed(email, delivery),
  ]);
  signal.throwIfAborted(); // meanwhile
  const { host, port, isSecure, tls } = email.server;
  const connection = new SMTPConnection({
    ...{ host, port, secure: isSecure, name: hostname() },
    ...{ requireTLS: tls === 'required' && !isSecure, ignoreTLS: tls === 'off' },
    ...{ connectionTimeout: timeoutMs, greetingTimeout: timeoutMs, socketTimeout: timeoutMs },
    ...{ dnsTimeout: timeoutMs, socketCloseTimeout: 0 },
  });
  const ended = Promise.withResolvers<never>();
  ended.promise.catch(() => {});
  const onStop = () => ended.reject(signal.reason);
  signal.addEventListener('abort', onStop, { once: true });
  const timer = clock.schedule(timeoutMs, () =>
    ended.reject(new TimeoutError({ operation: 'mail', durationMs: timeoutMs })),
  );
  connection.on('error', ended.reject);
  try {
    return await Promise.race([conversation(connection, email, raw), ended.promise]);
  } catch (error) {
    return verdictOfFailure(error);
  } finally {
    timer.cancel();
    signal.removeEventListener('abort', onStop);
    connection.close();
  }
}

type Connection = InstanceType<typeof import('nodemailer/lib/smtp-connection')['default']>;

async function conversation(
  connection: Connection,
  { from, to, login }: EmailConfig,
  raw: Buffer,
): Promise<Verdict> {
  const { user, password: pass } = login;
  await step((done) => connection.connect(done));
  if (user !== '') await step((done) => connection.login({ user, pass }, done));
  await step((done) => connection.send({ from, to: [...to] }, raw, done));
  return { kind: 'delivered' };
}

/** Ends when the server has answered, or at the race's other end. */
const step = (begin: (done: (error?: Error | null) => void) => void): Promise<void> =>
  new Promise((resolve, reject) => begin((error) => (error ? reject(error) : resolve())));

/** Failures of nodemailer that are about the message, and not about the way to the server. */
const aboutMessage: readonly (string | undefined)[] = ['EENVELOPE', 'EMESSAGE'];

/**
 * A server that will never take this message says so with a status from 500 on. A refused login, or
 * one without TLS, is tried again: a person mends it, and nothing is lost meanwhile.
 */
function verdictOfFailure(error: unknown): Verdict {
  const status = (error as { responseCode?: unknown } | null)?.responseCode;
  const isFinal = typeof status === 'number' && status >= 500;
  if (!isFinal || !aboutMessage.includes(codeOf(error))) throw error;
  return { kind: 'refused', status, why: messageOf(error).slice(0, longestReason) };
}

async function composed(email: EmailConfig, delivery: Delivery): Promise<Buffer> {
  const { default: MailComposer } = await import('nodemailer/lib/mail-composer');
  const { subject, text } = emailText(cardOf(delivery));
  const mail = new MailComposer({
    from: { name: 'PandaFuzz', address: email.from },
    to: [...email.to],
    subject,
    text,
    date: new Date(delivery.time),
    // The same in every try, so that a mailbox shows a repeated one once; no other event's.
    messageId: `<${delivery.id}.${delivery.time}@${email.from.split('@')[1]}>`,
    headers: {
      'Auto-Submitted': 'auto-generated',
      'X-PandaFuzz-Event': delivery.event,
      'X-PandaFuzz-Delivery': delivery.id,
    },
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return mail.compile().build();
}
