import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { status as Code } from '@grpc/grpc-js';
import { OperationContext, type RequestContext } from '../../core/context.js';
import { PermissionError, UnauthenticatedError } from '../../core/errors.js';
import { newId } from '../../core/ids.js';
import type { Logger } from '../../core/log.js';
import { anonymous } from '../../core/principal.js';
import type { TlsFiles } from '../../core/tls-files.js';
import { LiveToken } from '../../state/access/live-token.js';
import type { PageSessions, Session } from '../../state/access/page-sessions.js';
import type { Access } from '../access.js';
import { askedAt, type CallAudit } from '../audit.js';
import { statusOf, verdictOn } from '../status.js';
import { refuseRequest, refuseUnary } from './answer.js';
import { expectOwnPage } from './browsers.js';
import type { TakeCall } from './connect.js';
import { secretOf, setCookie } from './cookies.js';
import { NotOurs, Refusal } from './refusal.js';

export interface SignInOptions {
  readonly access: Access;
  readonly audit: CallAudit;
  readonly sessions: PageSessions;
  /** Ends the token of a sign-in by a provider: nobody else has it. */
  readonly endToken: (ctx: RequestContext, token: LiveToken) => Promise<void>;
  readonly tls: TlsFiles | undefined;
  readonly lifetimeMs: number;
  /** Longest wait for the audit log. */
  readonly timeoutMs: number;
  readonly log: Logger;
}

export const signInPath = '/session';
const endpoint = `HTTP${signInPath}`;

/**
 * Sessions of the page. POST /session with a token in `authorization` begins one, whose secret
 * is a cookie; DELETE /session ends it. Both are in the audit log, and so is what is refused.
 */
export class SignIn {
  constructor(private readonly options: SignInOptions) {}

  readonly take: TakeCall = (request, response) => {
    if (request.url !== signInPath) return false;
    request.resume();
    this.#serve(request, response).catch((error) => this.#refuse(request, response, error));
    return true;
  };

  /** @throws NotOurs, Refusal, DomainError */
  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#expectOurs(request);
    if (request.method === 'POST') await this.#begin(request, response);
    else await this.#end(request, response);
    if (response.destroyed) return;
    response.writeHead(204, { 'cache-control': 'no-store' });
    response.end();
  }

  /** @throws NotOurs, Refusal */
  #expectOurs({ headers, method, socket }: IncomingMessage): void {
    const problem = this.options.tls?.problemOf(socket as TLSSocket);
    if (problem !== undefined)
      throw new NotOurs('CLIENT_CERTIFICATE', `not for this client: ${problem}`);
    if (method !== 'POST' && method !== 'DELETE')
      throw new Refusal(Code.UNIMPLEMENTED, 'only POST and DELETE', 405, { allow: 'POST, DELETE' });
    expectOwnPage(headers);
  }

  /** @throws DomainError */
  async #begin(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { access, audit, sessions, lifetimeMs, log } = this.options;
    const { authorization } = request.headers;
    const address = addressOf(request);
    const caller = access.ofPage(signInPath, { authorization, address });
    audit.page(askedAt(endpoint, address), caller);
    if (caller.refusal) throw caller.refusal;
    const { principal } = caller;
    if (!(principal instanceof LiveToken)) return;
    await this.#noted(request, principal, 'begun', async () => {});
    // Whatever secret a browser came with is not the one that it leaves with.
    const before = this.#sessionOf(request);
    if (before) sessions.end(before);
    setCookie(request, response, sessions.begin(principal), lifetimeMs);
    log.info({ caller: principal.name, path: address }, 'signed in');
  }

  /** The session ends first: no failure of the audit log keeps it. */
  async #end(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const session = this.#sessionOf(request);
    setCookie(request, response, '', 0);
    if (!session) return;
    const { sessions, endToken, log } = this.options;
    const { token } = session;
    sessions.end(session);
    log.info({ caller: token.name, path: addressOf(request) }, 'signed out');
    await this.#noted(request, token, 'ended', (ctx) => endToken(ctx, token));
  }

  /** Writes an entry of the audit log, and does `work` in the same time. */
  async #noted(
    request: IncomingMessage,
    principal: LiveToken,
    session: 'begun' | 'ended',
    work: (ctx: RequestContext) => Promise<void>,
  ): Promise<void> {
    const { audit, timeoutMs, log } = this.options;
    const ids = { requestId: newId(), principal };
    const ctx = new OperationContext({ operation: endpoint, timeoutMs, log, ...ids });
    try {
      await audit.did(askedAt(endpoint, addressOf(request)), ctx, { session });
      await work(ctx);
    } finally {
      ctx.end();
    }
  }

  #sessionOf(request: IncomingMessage): Session | undefined {
    const secret = secretOf(request);
    if (secret === undefined) return undefined;
    try {
      return this.options.sessions.find(secret).session;
    } catch (error) {
      if (error instanceof UnauthenticatedError) return undefined;
      throw error;
    }
  }

  #refuse(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    const { audit, log } = this.options;
    const requestId = newId();
    if (error instanceof NotOurs) {
      const refusal = new PermissionError({ reason: error.reason, why: error.message });
      const refused = { code: error.code, error: refusal, byAccess: true };
      audit.refused(
        askedAt(endpoint, addressOf(request)),
        { requestId, principal: anonymous },
        refused,
      );
    }
    if (error instanceof Refusal) {
      const reason = error instanceof NotOurs ? error.reason : error.message;
      log.warn({ path: addressOf(request), endpoint, reason }, 'call refused');
      refuseRequest(response, error, undefined);
      return;
    }
    refuseUnary(response, statusOf(verdictOn(error, { requestId, log }), requestId));
  }
}

const addressOf = ({ socket }: IncomingMessage): string => socket.remoteAddress ?? '';
