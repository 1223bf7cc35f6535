import { writeFile } from 'node:fs/promises';
import { unary } from '../client/call.js';
import type { Connection } from '../client/connect.js';
import { messageOf, UserError } from '../core/errors.js';
import type { Role as RoleName } from '../core/principal.js';
import {
  type CreateTokenRequest,
  type CreateTokenResponse,
  Role,
  Token,
} from '../gen/pandafuzz/v1/identity_service.js';
import { eachOf } from './each.js';
import { findBot } from './fleet.js';
import { ago, duration } from './format.js';
import { type ListFlags, showListing } from './listing.js';
import { complain, print } from './output.js';
import { type ReadPage, upTo } from './pages.js';
import { asking, type Flags } from './session.js';
import { shortIds } from './short-ids.js';
import { tokenSorts } from './sorts.js';
import type { CallOptions } from './submit.js';
import { facts, idsFor, table, terminalWidth } from './table.js';
import { or, word } from './words.js';

/** `pandafuzz token …`. */

export interface TokenFlags {
  readonly role: RoleName;
  /** Milliseconds; undefined: as the master has it. */
  readonly expires?: number;
  readonly pool?: string;
  /** Of a viewer or operator; undefined: all. */
  readonly project?: readonly string[];
  /** Name in a client's certificate that stands for it. */
  readonly certificate?: string;
  /** Id or name. */
  readonly bot?: string;
  /** Where the token goes instead of standard output. */
  readonly output?: string;
}

const roleNumbers: Record<RoleName, Role> = {
  viewer: Role.VIEWER,
  operator: Role.OPERATOR,
  admin: Role.ADMIN,
  bot: Role.BOT,
  enrol: Role.ENROL,
};

export function createToken(flags: Flags & TokenFlags, name: string): Promise<void> {
  return asking(flags, async (connection, options) => {
    const { identity } = connection;
    const botId = flags.bot === undefined ? '' : await findBot(connection, flags.bot, options);
    const request = { ...tokenRequest(flags, name), botId };
    const made = await unary(identity, identity.createToken, request, options);
    await tellToken(flags, made);
  });
}

/** What is asked for, of a bot that registers first if of any. */
export function tokenRequest(flags: TokenFlags, name: string): CreateTokenRequest {
  const { role, expires = 0, pool = '', project: projects = [], certificate = '' } = flags;
  const validSeconds = Math.ceil(expires / 1000);
  return {
    name,
    role: roleNumbers[role],
    validSeconds,
    pool,
    botId: '',
    projects: [...projects],
    certificate,
  };
}

/** The token on standard output, alone, or into a file of its owner's; what it is, beside it. */
export async function tellToken(
  flags: Pick<Flags, 'json'> & Pick<TokenFlags, 'output'>,
  { secret, token }: CreateTokenResponse,
): Promise<void> {
  const isText = secret !== '';
  if (isText && flags.output !== undefined) await keepSecret(flags.output, secret);
  else if (isText && !flags.json) process.stdout.write(`${secret}\n`);
  const about = token && Token.toJSON(token);
  if (flags.json) {
    const shown = flags.output === undefined ? { secret } : { file: flags.output };
    print({ json: true }, { json: () => ({ ...shown, token: about }), text: () => '' });
  } else if (token) {
    const kept = flags.output === undefined ? 'shown this once' : `in ${flags.output}`;
    const where = isText ? kept : `for certificates with ${token.certificate}`;
    complain(`token ${token.id}, ${rights(token, Date.now())}: ${where}`);
  }
}

/** @throws UserError where there is a file of that name already, or none can be */
export async function keepSecret(file: string, secret: string): Promise<void> {
  try {
    await writeFile(file, `${secret}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    throw new UserError(`the token was made, but not written: ${messageOf(error)}; revoke it`);
  }
}

export function showTokens(flags: Flags & ListFlags & { role?: RoleName }): Promise<void> {
  return asking(flags, async (connection, options) => {
    await showListing(flags, {
      items: 'tokens',
      first: 'newest',
      read: tokenPages(connection, options),
      passes: ({ role }) => flags.role === undefined || role === roleNumbers[flags.role],
      sorts: tokenSorts,
      toJson: Token.toJSON,
      text: (tokens, width) => tokenTable(tokens, Date.now(), width),
    });
  });
}

export function revokeTokens(flags: Flags, names: readonly string[]): Promise<number> {
  return asking(flags, async (connection, options) => {
    const { identity } = connection;
    const tokens = await upTo(Number.MAX_SAFE_INTEGER, tokenPages(connection, options));
    const revoked: Token[] = [];
    const refused = await eachOf(names, connection.address, async (name) => {
      const request = { tokenId: tokenNamed(tokens, name).id };
      const { token } = await unary(identity, identity.revokeToken, request, options);
      if (token) revoked.push(token);
    });
    print(flags, {
      json: () => ({ tokens: revoked.map(Token.toJSON) }),
      text: () => tokenTable(revoked, Date.now()),
    });
    return refused > 0 ? 1 : 0;
  });
}

export function showCaller(flags: Flags): Promise<void> {
  return asking(flags, async ({ identity }, options) => {
    const { token } = await unary(identity, identity.getCaller, {}, options);
    print(flags, {
      json: () => ({ token: token && Token.toJSON(token) }),
      text: () =>
        token
          ? facts([
              ['name', token.name],
              ['id', token.id],
              ['rights', rights(token, Date.now())],
            ])
          : 'everybody: this master takes calls without tokens',
    });
  });
}

const tokenPages =
  ({ identity }: Connection, options: CallOptions): ReadPage<Token> =>
  async (page) => {
    const answer = await unary(identity, identity.listTokens, page, options);
    return { items: answer.tokens, nextPageToken: answer.nextPageToken };
  };

/** By its id, the beginning of that, or a name that only one valid token has. */
function tokenNamed(tokens: readonly Token[], name: string): Token {
  const valid = tokens.filter((token) => !token.revokedAt && !isExpired(token, Date.now()));
  const named = valid.filter((token) => token.name === name);
  const found = named.length > 0 ? named : tokens.filter(({ id }) => id.startsWith(name));
  const [token, second] = found;
  if (!token) throw new UserError(`there is no token ${name}: "pandafuzz token list" shows them`);
  if (!second) return token;
  const short = shortIds(found.map(({ id }) => id));
  const ids = found.map(({ id }) => short(id)).join(', ');
  throw new UserError(`${name} may be any of ${found.length} tokens: name one by its id (${ids})`);
}

const isExpired = ({ expiresAt }: Token, now: number): boolean =>
  expiresAt !== undefined && expiresAt.getTime() <= now;

function state(token: Token, now: number): string {
  const { revokedAt, revokedBy, expiresAt } = token;
  if (revokedAt) return revokedBy === 'enrolment' ? 'used' : `revoked by ${revokedBy}`;
  if (isExpired(token, now)) return 'expired';
  return expiresAt ? `${duration(expiresAt.getTime() - now)} left` : 'valid';
}

export function rights(token: Token, now: number): string {
  const pool = token.pool ? ` of pool ${token.pool}` : '';
  const within = token.projects.length > 0 ? ` of ${projectsOf(token)}` : '';
  const bot = token.botId ? ` (bot ${token.botId})` : '';
  return `${word(Role[token.role])}${pool}${within}${bot}, ${state(token, now)}`;
}

const projectsOf = ({ projects }: Token): string =>
  `${projects.length === 1 ? 'project' : 'projects'} ${projects.join(', ')}`;

function tokenTable(tokens: readonly Token[], now: number, width = terminalWidth()): string {
  if (tokens.length === 0) return 'no tokens: make one with "pandafuzz token create"';
  const short = idsFor(
    width,
    tokens.map(({ id }) => id),
  );
  return table(
    [
      'id',
      { name: 'name', shrinks: 'first' },
      'role',
      { name: 'pool', shrinks: 'then', leaves: 'same' },
      { name: 'projects', shrinks: 'then', leaves: 'same' },
      { name: 'certificate', wide: true },
      { name: 'state', tone: true, shrinks: 'then' },
      { name: 'used', right: true },
      { name: 'made', right: true, leaves: 'narrow' },
      { name: 'by', shrinks: 'then', leaves: 'same' },
      { name: 'bot', wide: true },
    ],
    tokens.map((token) => [
      short(token.id),
      token.name,
      word(Role[token.role]),
      or(token.pool),
      or(token.projects.join(', ')),
      or(token.certificate),
      state(token, now),
      ago(token.lastUsedAt, now),
      ago(token.createdAt, now),
      token.createdBy,
      or(token.botId),
    ]),
    width,
  );
}
