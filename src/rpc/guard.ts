import type {
  Server,
  ServiceDefinition,
  UntypedHandleCall,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { DomainError } from '../core/errors.js';
import { countedIds } from '../core/ids.js';
import type { Logger } from '../core/log.js';
import { anonymous } from '../core/principal.js';
import type { Access, Asking } from './access.js';
import type { CallAudit } from './audit.js';
import { statusOf, verdictOn } from './status.js';

/** A call of a service that is not ours, by what all four kinds of calls have. */
type Call = Asking & {
  readonly request?: { readonly service?: unknown };
  emit(event: 'error', error: object): boolean;
  once(event: 'close', listener: () => void): unknown;
};
type Callback = (error: object) => void;
type Handler = (call: Call, callback?: Callback) => void;

const check = '/grpc.health.v1.Health/Check';

/**
 * Stands before services of others (health, reflection), which know no adapter: their calls
 * are refused by the same table, and end when their caller's token does.
 */
export class Guard {
  /** Open streams, with the token of each. */
  readonly #streams = new Map<Call, string>();
  readonly #newRequestId = countedIds();

  constructor(
    private readonly access: Access,
    private readonly log: Logger,
    private readonly audit: CallAudit,
  ) {}

  /** A server whose added services are guarded. */
  before(server: Server): Server {
    const addService = (definition: ServiceDefinition, methods: UntypedServiceImplementation) =>
      server.addService(definition, this.#guarded(methods));
    return Object.create(server, { addService: { value: addService } });
  }

  /** Ends the streams with this token. */
  endStreamsOf(tokenId: string, why: DomainError): void {
    for (const [call, id] of this.#streams) if (id === tokenId) this.#refuse(call, undefined, why);
  }

  #guarded(methods: UntypedServiceImplementation): UntypedServiceImplementation {
    if (!this.access.isOn) return methods;
    const entries = Object.entries(methods).map(([name, method]) => {
      const handler = method as Handler;
      const guarded: Handler = (call, callback) => {
        const { principal, refusal } = this.access.of(call, endpointOf(call));
        if (refusal) return this.#refuse(call, callback, refusal, principal);
        if (!callback && principal.tokenId) this.#own(call, principal.tokenId);
        handler(call, callback);
      };
      return [name, guarded as UntypedHandleCall];
    });
    return Object.fromEntries(entries);
  }

  #own(call: Call, tokenId: string): void {
    this.#streams.set(call, tokenId);
    call.once('close', () => this.#streams.delete(call));
  }

  #refuse(
    call: Call,
    callback: Callback | undefined,
    why: DomainError,
    principal = anonymous,
  ): void {
    this.#streams.delete(call);
    const requestId = this.#newRequestId();
    const verdict = verdictOn(why, { requestId, log: this.log });
    this.audit.refused(
      call,
      { requestId, principal },
      { code: verdict.code, error: why, byAccess: true },
    );
    const status = statusOf(verdict, requestId);
    if (callback) callback(status);
    else call.emit('error', status);
  }
}

/** Whether the master is there may be asked by anyone; how its services are, may not. */
function endpointOf(call: Call): string {
  const path = call.getPath();
  return path === check && call.request?.service ? `${path} of one service` : path;
}
