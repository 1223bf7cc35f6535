import { createHash } from 'node:crypto';
import { unary } from '../../../src/client/call.js';
import { connect } from '../../../src/client/connect.js';
import { newId } from '../../../src/core/ids.js';
import { HeartbeatRequest } from '../../../src/gen/pandafuzz/v1/heartbeat.js';
import { type CreateTokenRequest, Role } from '../../../src/gen/pandafuzz/v1/identity_service.js';
import { atEnd } from '../../endings.js';
import { registerBot } from '../../steps.js';
import { RawClient } from '../../wire/raw-client.js';
import { type Abuse, abuse, distinct, endOf, outcome } from '../abuse.js';
import type { Stage } from '../stage.js';

/**
 * Who callers say they are. That each role gets of each method what the table of permissions
 * says, with tokens of every kind, is in test/rpc/access/methods.test.ts; that a bot cannot
 * touch another's leases and reports, in bots.test.ts; that a revoked token's streams end, in
 * others.test.ts.
 */

const getStats = '/pandafuzz.v1.SystemService/GetSystemStats';

async function asks(stage: Stage, authorization: string): Promise<string> {
  const client = new RawClient(stage.address);
  return endOf(await client.call(getStats, [Buffer.alloc(0)], { authorization }));
}

/** A connection of the test's own. */
function as(stage: Stage, token: string) {
  const connection = connect(stage.address, { token: () => token });
  atEnd(() => connection.close());
  return connection;
}

const made = ({ admin }: Stage, wish: Partial<CreateTokenRequest>) =>
  unary(admin.identity, admin.identity.createToken, {
    ...{
      name: 'abuse',
      role: Role.VIEWER,
      validSeconds: 0,
      pool: '',
      botId: '',
      projects: [],
      certificate: '',
    },
    ...wish,
  });

const tokens: readonly Abuse[] = [
  abuse('a viewer’s token that says it is an admin’s', 'UNAUTHENTICATED TOKEN_UNKNOWN', (s) =>
    asks(s, `Bearer ${s.tokens.viewer.replace('_viewer_', '_admin_')}`),
  ),
  abuse(
    'the hash of a token, as a stolen database has it',
    'UNAUTHENTICATED TOKEN_UNKNOWN',
    (s) => {
      const hash = createHash('sha256').update(s.tokens.admin).digest('hex');
      return asks(s, `Bearer pf_admin_${hash}`);
    },
  ),
  abuse('a token in capitals', 'UNAUTHENTICATED TOKEN_MALFORMED', (s) =>
    asks(s, `Bearer ${s.tokens.admin.toUpperCase()}`),
  ),
  abuse('two tokens in one header', 'UNAUTHENTICATED TOKEN_MALFORMED', (s) =>
    asks(s, `Bearer ${s.tokens.viewer}, Bearer ${s.tokens.admin}`),
  ),
  abuse('a token with a byte less', 'UNAUTHENTICATED TOKEN_MALFORMED', (s) =>
    asks(s, `Bearer ${s.tokens.admin.slice(0, -1)}`),
  ),
  abuse('a token without its scheme', 'UNAUTHENTICATED TOKEN_MALFORMED', (s) =>
    asks(s, s.tokens.admin),
  ),
  abuse(
    'a token after it was revoked, on the connection that knew it',
    'UNAUTHENTICATED TOKEN_REVOKED',
    async (s) => {
      const { secret, token } = await made(s, {});
      const client = new RawClient(s.address);
      const headers = { authorization: `Bearer ${secret}` };
      await client.call(getStats, [Buffer.alloc(0)], headers);
      const { identity } = s.admin;
      await unary(identity, identity.revokeToken, { tokenId: token?.id ?? '' });
      return endOf(await client.call(getStats, [Buffer.alloc(0)], headers));
    },
  ),
  abuse('a token that enrols, a second time', 'UNAUTHENTICATED TOKEN_USED', async (s) => {
    const { secret } = await made(s, { role: Role.ENROL });
    const { identity } = as(s, secret);
    await unary(identity, identity.enrolBot, { name: 'enrolled' });
    return outcome(unary(identity, identity.enrolBot, { name: 'enrolled' }));
  }),
  abuse('a token that enrols, by ten at once', 'OK, UNAUTHENTICATED TOKEN_USED', async (s) => {
    const { secret } = await made(s, { role: Role.ENROL });
    const { identity } = as(s, secret);
    const ends = await Promise.all(
      Array.from({ length: 10 }, () => outcome(unary(identity, identity.enrolBot, { name: 'b' }))),
    );
    return ends.filter((end) => end === 'OK').length === 1 ? distinct(ends) : ends.join();
  }),
  abuse('a token for longer than ten years', 'INVALID_ARGUMENT', (s) =>
    outcome(made(s, { validSeconds: 20 * 365 * 86_400 })),
  ),
  abuse('a token of a role that is not there', 'INVALID_ARGUMENT', (s) =>
    outcome(made(s, { role: 99 as Role })),
  ),
  abuse('a token of a person for a bot', 'INVALID_ARGUMENT', (s) =>
    outcome(made(s, { role: Role.ADMIN, botId: s.bot.id })),
  ),
  abuse(
    'tokens guessed by the thousand',
    'RESOURCE_EXHAUSTED OVERLOADED, UNAUTHENTICATED TOKEN_UNKNOWN',
    async (s) => {
      const client = new RawClient(s.address, { localAddress: '127.0.0.2' });
      const ends = new Set<string>();
      for (let from = 0; from < 1200; from += 200) {
        const tried = Array.from({ length: 200 }, (_, i) => {
          const guess = String(from + i).padStart(64, '0');
          const authorization = `Bearer pf_admin_${guess}`;
          return client.call(getStats, [Buffer.alloc(0)], { authorization });
        });
        for (const answer of await Promise.all(tried)) ends.add(endOf(answer));
      }
      const valid = await client.call(getStats, [Buffer.alloc(0)], {
        authorization: `Bearer ${s.tokens.viewer}`,
      });
      return endOf(valid) === 'OK' ? distinct([...ends]) : `with a token: ${endOf(valid)}`;
    },
  ),
];

const bots: readonly Abuse[] = [
  abuse('a heartbeat stream in another bot’s name', 'PERMISSION_DENIED OTHER_BOT', async (s) => {
    const value = { botId: s.honest.id, instanceId: newId(), freeSlots: 9, leases: [] };
    const message = { $case: 'hello' as const, value };
    const client = new RawClient(s.address);
    const hello = HeartbeatRequest.encode({ message }).finish();
    const authorization = `Bearer ${s.tokens.bot}`;
    return endOf(
      await client.call('/pandafuzz.v1.BotService/Heartbeat', [hello], { authorization }),
    );
  }),
  abuse('jobs taken in another bot’s name', 'PERMISSION_DENIED OTHER_BOT', ({ bot, honest }) => {
    const { jobs } = bot.connection;
    const wish = { botId: honest.id, waitMs: 0, leaseTtlMs: 0 };
    return outcome(unary(jobs, jobs.assignJob, wish));
  }),
  abuse('a bot that takes the name of another', 'FAILED_PRECONDITION NAME_IS_TAKEN', ({ bot }) =>
    outcome(registerBot(bot.connection, 'honest')),
  ),
  abuse('a bot that drains another', 'PERMISSION_DENIED ROLE_NOT_ALLOWED', ({ bot, honest }) => {
    const { bots: service } = bot.connection;
    return outcome(unary(service, service.drainBot, { botId: honest.id }));
  }),
  abuse('a bot that makes itself an admin', 'PERMISSION_DENIED ROLE_NOT_ALLOWED', ({ bot }) => {
    const { identity } = bot.connection;
    const wish = {
      name: 'x',
      role: Role.ADMIN,
      validSeconds: 0,
      pool: '',
      botId: '',
      projects: [],
      certificate: '',
    };
    return outcome(unary(identity, identity.createToken, wish));
  }),
];

export const identity: readonly Abuse[] = [...tokens, ...bots];
