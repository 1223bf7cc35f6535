import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { status as Code } from '@grpc/grpc-js';
import { UnauthenticatedError } from '../../core/errors.js';
import { newId } from '../../core/ids.js';
import type { Logger } from '../../core/log.js';
import type { TlsFiles } from '../../core/tls-files.js';
import { LiveToken } from '../../state/access/live-token.js';
import type { PageSessions } from '../../state/access/page-sessions.js';
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
  readonly tls: TlsFiles | undefined;
  readonly lifetimeMs: number;
  readonly log: Logger;
}

export const signInPath = '/session';

/**
 * Sessions of the page. POST /session with a token in `authorization` begins one, whose secret
 * is a cookie; DELETE /session ends it.
 */
export class SignIn {
  constructor(private readonly options: SignInOptions) {}

  readonly take: TakeCall = (request, response) => {
    if (request.url !== signInPath) return false;
    request.resume();
    try {
      this.#expectOurs(request);
      if (request.method === 'POST') this.#begin(request, response);
      else this.#end(request, response);
    } catch (error) {
      this.#refuse(request, response, error);
    }
    return true;
  };

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
  #begin(request: IncomingMessage, response: ServerResponse): void {
    const { access, audit, sessions, lifetimeMs, log } = this.options;
    const address = request.socket.remoteAddress ?? '';
    const { authorization } = request.headers;
    const caller = access.ofPage(signInPath, { authorization, address });
    audit.page(askedAt(`HTTP${signInPath}`, address), caller);
    if (caller.refusal) throw caller.refusal;
    // Whatever secret a browser came with is not the one that it leaves with.
    this.#forget(request);
    const { principal } = caller;
    if (principal instanceof LiveToken) {
      setCookie(request, response, sessions.begin(principal), lifetimeMs);
      log.info({ caller: principal.name, path: address }, 'signed in');
    }
    done(response);
  }

  #end(request: IncomingMessage, response: ServerResponse): void {
    this.#forget(request);
    setCookie(request, response, '', 0);
    done(response);
  }

  #forget(request: IncomingMessage): void {
    const secret = secretOf(request);
    if (secret === undefined) return;
    try {
      this.options.sessions.end(this.options.sessions.find(secret).session);
    } catch (error) {
      if (!(error instanceof UnauthenticatedError)) throw error;
    }
  }

  #refuse({ socket }: IncomingMessage, response: ServerResponse, error: unknown): void {
    const { log } = this.options;
    if (error instanceof Refusal) {
      const reason = error instanceof NotOurs ? error.reason : error.message;
      log.warn({ path: socket.remoteAddress, endpoint: signInPath, reason }, 'call refused');
      refuseRequest(response, error, undefined);
      return;
    }
    const requestId = newId();
    refuseUnary(response, statusOf(verdictOn(error, { requestId, log }), requestId));
  }
}

function done(response: ServerResponse): void {
  response.writeHead(204, { 'cache-control': 'no-store' });
  response.end();
}
