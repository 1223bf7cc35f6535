import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { atEnd } from '../../harness.js';
import { Inbox } from './receiver.js';

export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  /** As it came: headers, an empty line, the body. */
  readonly raw: string;
  readonly user: string;
}

/** A real SMTP server. */
export class Mailbox {
  readonly inbox = new Inbox<Mail>();

  private constructor(
    readonly port: number,
    /** What the server answers to the next messages in place of 250. */
    readonly refusals: { code: number; text: string }[],
  ) {}

  static async open(options: SMTPServerOptions = {}): Promise<Mailbox> {
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      ...options,
      onData(stream, session, done) {
        const parts: Buffer[] = [];
        stream.on('data', (part: Buffer) => parts.push(part));
        stream.on('end', () => {
          const refusal = mailbox.refusals.shift();
          if (refusal) {
            return done(Object.assign(new Error(refusal.text), { responseCode: refusal.code }));
          }
          const { mailFrom, rcptTo } = session.envelope;
          mailbox.inbox.put({
            from: mailFrom ? mailFrom.address : '',
            to: rcptTo.map(({ address }) => address),
            raw: Buffer.concat(parts).toString(),
            user: String(session.user ?? ''),
          });
          done();
        });
      },
    });
    server.on('error', () => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    atEnd(() => new Promise<void>((resolve) => server.close(() => resolve())));
    const { port } = server.server.address() as AddressInfo;
    const mailbox = new Mailbox(port, []);
    return mailbox;
  }

  next(): Promise<Mail> {
    return this.inbox.next();
  }
}
