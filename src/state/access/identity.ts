import type { RequestContext } from '../../core/context.js';
import { PreconditionError } from '../../core/errors.js';
import type { Role as RoleName } from '../../core/principal.js';
import {
  type CreateTokenRequest,
  type CreateTokenResponse,
  type EnrolBotRequest,
  type EnrolBotResponse,
  type GetCallerResponse,
  type ListTokensRequest,
  type ListTokensResponse,
  Role,
  type Token,
} from '../../gen/pandafuzz/v1/identity_service.js';
import type { TokenRow } from '../../store/ops/tokens/token-rows.js';
import { isProject, projectProblem } from '../messages/checks.js';
import { cutPage, readPage } from '../messages/pages.js';
import { Violations } from '../messages/violations.js';
import { LiveToken } from './live-token.js';
import type { MadeToken, Tokens } from './tokens.js';

const yearsOfToken = 10;
const longestSeconds = yearsOfToken * 365 * 86_400;
const longestEnrolSeconds = 7 * 86_400;
const usualEnrolSeconds = 3600;
/** Projects of one token: lists read them one by one. */
const mostProjects = 16;

/** IdentityService: tokens as messages. */
export class Identity {
  constructor(
    private readonly tokens: Tokens,
    private readonly now: () => number,
  ) {}

  /** @throws ValidationError, NotFoundError (bot), QuotaError */
  async create(ctx: RequestContext, request: CreateTokenRequest): Promise<CreateTokenResponse> {
    const { name, pool, botId, projects, certificate } = request;
    const role = roleNames[request.role];
    const longest = role === 'enrol' ? longestEnrolSeconds : longestSeconds;
    const found = new Violations()
      .text(name, 'name', { min: 1, max: 128 })
      .expect(role !== undefined, 'role', 'must be VIEWER, OPERATOR, ADMIN, BOT or ENROL')
      .whole(request.validSeconds, 'valid_seconds', { min: 0, max: longest })
      .expect(
        /^[A-Za-z0-9._-]{0,64}$/.test(pool),
        'pool',
        "must be at most 64 letters, digits, '.', '_' or '-'",
      )
      .expect(
        pool === '' || role === 'bot' || role === 'enrol',
        'pool',
        'is for tokens of role BOT or ENROL',
      )
      .expect(botId === '' || role === 'bot', 'bot_id', 'is for tokens of role BOT');
    if (botId !== '') found.id(botId, 'bot_id');
    checkProjects(projects, role, found);
    const isNamed = /^(DNS|URI|email):[^\s",]{1,250}$/.test(certificate);
    found
      .expect(certificate === '' || isNamed, 'certificate', certificateProblem)
      .expect(certificate === '' || role !== 'enrol', 'certificate', 'is not for ENROL');
    found.throwIfAny();
    const seconds = request.validSeconds || (role === 'enrol' ? usualEnrolSeconds : 0);
    const expiresAt = seconds === 0 ? null : this.now() + seconds * 1000;
    const bound = JSON.stringify([...projects].sort());
    const who = { name, role: role as RoleName, pool, projects: bound, certificate };
    const wish = { ...who, botId: botId || null, expiresAt };
    return made(await this.tokens.create(ctx, wish));
  }

  /** @throws ValidationError */
  async list(ctx: RequestContext, request: ListTokensRequest): Promise<ListTokensResponse> {
    const page = readPage(request);
    const { rows, nextPageToken } = cutPage(await this.tokens.list(ctx, page), page.limit);
    return { tokens: rows.map((row) => this.#latest(row)), nextPageToken };
  }

  /** @throws ValidationError, NotFoundError */
  async revoke(ctx: RequestContext, tokenId: string): Promise<Token> {
    new Violations().id(tokenId, 'token_id').throwIfAny();
    return this.#latest(await this.tokens.revoke(ctx, tokenId));
  }

  /** @throws ValidationError, PreconditionError, UnauthenticatedError, QuotaError */
  async enrol(ctx: RequestContext, { name }: EnrolBotRequest): Promise<EnrolBotResponse> {
    new Violations()
      .expect(
        /^[A-Za-z0-9._-]{1,128}$/.test(name),
        'name',
        "must be 1 to 128 letters, digits, '.', '_' or '-'",
      )
      .throwIfAny();
    const { principal } = ctx;
    if (!(principal instanceof LiveToken)) {
      const why = 'this master takes calls without tokens: a bot needs none';
      throw new PreconditionError({ reason: 'NO_TOKEN_TO_EXCHANGE', why });
    }
    return made(await this.tokens.enrol(ctx, principal, name));
  }

  /** @param denied methods that it may not call, with the roles that may */
  caller(
    { principal }: RequestContext,
    denied: readonly { method: string; roles: readonly RoleName[] }[],
  ): GetCallerResponse {
    const token = principal instanceof LiveToken ? principal : undefined;
    return {
      token: token && record(token.row),
      denied: denied.map(({ method, roles }) => ({
        method,
        roles: roles.map((role) => roleNumbers[role]),
      })),
    };
  }

  /** With the last use from memory. */
  #latest(row: TokenRow): Token {
    return record({ ...row, last_used_at: this.tokens.of(row.id)?.lastUsedAt ?? row.last_used_at });
  }
}

const certificateProblem =
  'must be "DNS:", "URI:" or "email:" and a name of at most 250 characters, as in subjectAltName';

function checkProjects(
  projects: readonly string[],
  role: RoleName | undefined,
  found: Violations,
): void {
  if (projects.length === 0) return;
  const isFine = projects.every((name) => name !== '' && isProject(name));
  found
    .expect(role === 'viewer' || role === 'operator', 'projects', 'is for VIEWER and OPERATOR')
    .expect(projects.length <= mostProjects, 'projects', `must be at most ${mostProjects}`)
    .expect(isFine, 'projects', projectProblem)
    .expect(new Set(projects).size === projects.length, 'projects', 'must not repeat');
}

const roleNames: Partial<Record<Role, RoleName>> = {
  [Role.VIEWER]: 'viewer',
  [Role.OPERATOR]: 'operator',
  [Role.ADMIN]: 'admin',
  [Role.BOT]: 'bot',
  [Role.ENROL]: 'enrol',
};

export const roleNumbers: Record<RoleName, Role> = {
  viewer: Role.VIEWER,
  operator: Role.OPERATOR,
  admin: Role.ADMIN,
  bot: Role.BOT,
  enrol: Role.ENROL,
};

export const made = ({ secret, row }: MadeToken): CreateTokenResponse => ({
  secret,
  token: record(row),
});

function record(row: TokenRow): Token {
  const time = (ms: number | null) => (ms ? new Date(ms) : undefined);
  return {
    id: row.id,
    name: row.name,
    role: roleNumbers[row.role],
    pool: row.pool,
    projects: JSON.parse(row.projects),
    certificate: row.certificate,
    botId: row.bot_id ?? '',
    createdBy: row.created_by,
    createdAt: time(row.created_at),
    expiresAt: time(row.expires_at),
    lastUsedAt: time(row.last_used_at),
    revokedAt: time(row.revoked_at),
    revokedBy: row.revoked_by ?? '',
  };
}
