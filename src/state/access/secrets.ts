import type { Clock } from '../../core/clock.js';
import type { InBackground, RequestContext } from '../../core/context.js';
import { NotFoundError, PreconditionError, QuotaError } from '../../core/errors.js';
import type { Logger } from '../../core/log.js';
import { defaultProject } from '../../core/project.js';
import { type SecretKey, seal, unseal } from '../../core/secret-box.js';
import { secretsIn } from '../../core/secret-names.js';
import type {
  DeleteSecretRequest,
  ListSecretsRequest,
  ListSecretsResponse,
  Secret,
  SetSecretRequest,
} from '../../gen/pandafuzz/v1/secret_service.js';
import {
  deleteSecret,
  listSecrets,
  putSecret,
  resealSecret,
  type SecretRow,
} from '../../store/ops/secrets/secrets.js';
import type { Store } from '../../store/store.js';
import { isProject, projectProblem } from '../messages/checks.js';
import type { JobSecrets, Revealed } from '../messages/job-secrets.js';
import { afterPair, cutPageBy, pageSizeOf, pairToken } from '../messages/pages.js';
import { Violations } from '../messages/violations.js';

/** Secrets of one master: each is in memory, encrypted. */
const mostSecrets = 1000;
const pageSize = 100;
/** Shorter ones would be found, and cut out, in any output. */
const [leastBytes, mostBytes] = [8, 4096];

export interface SecretsParts {
  readonly store: Pick<Store, 'run'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inBackground: InBackground;
  /** The first encrypts; all open. Empty: there are no secrets. */
  readonly keys: readonly SecretKey[];
}

type Environment = Readonly<Record<string, string>>;

/**
 * Secrets of targets. Rows are in memory as they are on disk, encrypted; a value is in clear
 * while it is set, and while an assignment with it is sent.
 */
export class Secrets implements JobSecrets {
  readonly #rows = new Map<string, SecretRow>();

  constructor(private readonly parts: SecretsParts) {}

  /** Loads all secrets, and encrypts by the first key what an older one has encrypted. */
  async start(): Promise<void> {
    const { log } = this.parts;
    await this.load();
    let resealed = 0;
    for (const row of this.#rows.values()) if (await this.#reseal(row)) resealed++;
    if (resealed > 0) log.info({ secrets: resealed }, 'secrets encrypted by the new key');
    const closed = [...this.#rows.values()].filter((row) => this.#open(row) === undefined).length;
    if (closed > 0) log.warn({ secrets: closed }, 'secrets not readable: no key opens them');
  }

  /** Reads all secrets as they are on disk now. */
  async load(): Promise<void> {
    const { inBackground, store } = this.parts;
    const found = new Map<string, SecretRow>();
    for (let [project, name] = ['', '']; ; ) {
      const page = { project, name, limit: pageSize, isWithin: false };
      const rows = await inBackground('list_secrets', (ctx) => store.run(ctx, listSecrets, page));
      for (const row of rows) found.set(keyOf(row), row);
      const last = rows.at(-1);
      if (!last) break;
      ({ project, name } = last);
    }
    this.#rows.clear();
    for (const [key, row] of found) this.#rows.set(key, row);
  }

  /** @throws ValidationError, PreconditionError NO_SECRETS_KEY, QuotaError */
  async set(ctx: RequestContext, request: SetSecretRequest): Promise<Secret> {
    const { name, project: given } = request;
    const value = textOf(request.value);
    checkNamed({ project: given, name })
      .expect(
        value !== undefined,
        'value',
        `must be UTF-8 without NUL, ${leastBytes} to ${mostBytes} bytes`,
      )
      .throwIfAny();
    const [key] = this.parts.keys;
    if (!key) throw noKey();
    const project = given || defaultProject;
    if (!this.#rows.has(keyOf({ project, name })) && this.#rows.size >= mostSecrets) {
      const why = `there are ${mostSecrets} secrets already: delete some that no job names`;
      throw new QuotaError({ subject: 'secrets', why });
    }
    const sealed = seal(key, keyOf({ project, name }), value as string);
    const input = { project, name, keyId: key.id, sealed };
    const by = { by: ctx.principal.name, now: this.parts.clock.now() };
    const row = await this.parts.store.run(ctx, putSecret, { ...input, ...by });
    this.#rows.set(keyOf(row), row);
    return this.#record(row);
  }

  /** @throws ValidationError */
  async list(ctx: RequestContext, request: ListSecretsRequest): Promise<ListSecretsResponse> {
    const { project, pageToken } = request;
    const found = new Violations().expect(isProject(project), 'project', projectProblem);
    const limit = pageSizeOf(request, found) + 1;
    const after = pageToken === '' ? [project, ''] : afterPair(pageToken);
    const isFine = after !== undefined && (project === '' || after[0] === project);
    found.expect(isFine, 'page_token', 'must be a next_page_token of this list').throwIfAny();
    const [afterProject = '', name = ''] = after ?? [];
    const page = { project: afterProject, name, limit, isWithin: project !== '' };
    const rows = await this.parts.store.run(ctx, listSecrets, page);
    const cut = cutPageBy(rows, limit, (last) => pairToken([last.project, last.name]));
    const secrets = cut.rows.map((row) => this.#record(row));
    return { secrets, nextPageToken: cut.nextPageToken };
  }

  /** @throws ValidationError, NotFoundError */
  async delete(ctx: RequestContext, { project: given, name }: DeleteSecretRequest): Promise<void> {
    checkNamed({ project: given, name }).throwIfAny();
    const project = given || defaultProject;
    const by = { by: ctx.principal.name, now: this.parts.clock.now() };
    const existed = await this.parts.store.run(ctx, deleteSecret, { project, name, ...by });
    this.#rows.delete(keyOf({ project, name }));
    if (!existed) throw new NotFoundError({ resource: 'secret', id: name });
  }

  /** For a job to be made. @throws PreconditionError for what it names and cannot have */
  expect(project: string, ...environments: readonly Environment[]): void {
    for (const environment of environments) {
      const revealed = this.reveal(project, environment);
      if ('values' in revealed) continue;
      throw new PreconditionError({ reason: 'SECRET_NOT_READABLE', why: revealed.problem });
    }
  }

  /** The values of what an environment names, by their names. */
  reveal(given: string, environment: Environment): Revealed {
    const project = given || defaultProject;
    const values: [name: string, value: string][] = [];
    for (const name of secretsIn(environment)) {
      const row = this.#rows.get(keyOf({ project, name }));
      const said = `the secret ${name} of project ${project}`;
      if (!row) return { problem: `${said} is not there: pandafuzz secret set ${name}` };
      const value = this.#open(row);
      if (value === undefined) return { problem: `${said} is not readable: ${keyProblem}` };
      values.push([name, value]);
    }
    // Own properties, also of a secret called __proto__.
    return { values: Object.fromEntries(values) };
  }

  #open(row: SecretRow): string | undefined {
    const key = this.parts.keys.find(({ id }) => id === row.key_id);
    return key && unseal(key, keyOf(row), row.sealed);
  }

  async #reseal(row: SecretRow): Promise<boolean> {
    const { keys, inBackground, store } = this.parts;
    const [key] = keys;
    if (!key || row.key_id === key.id) return false;
    const value = this.#open(row);
    if (value === undefined) return false;
    const { project, name, sealed: before } = row;
    const sealed = seal(key, keyOf(row), value);
    const input = { project, name, keyId: key.id, sealed, before };
    const isDone = await inBackground('reseal_secret', (ctx) =>
      store.run(ctx, resealSecret, input),
    );
    if (isDone) this.#rows.set(keyOf(row), { ...row, key_id: key.id, sealed });
    return isDone;
  }

  #record(row: SecretRow): Secret {
    return {
      project: row.project,
      name: row.name,
      createdAt: new Date(row.created_at),
      setAt: new Date(row.set_at),
      setBy: row.set_by,
      readable: this.#open(row) !== undefined,
    };
  }
}

const keyOf = ({ project, name }: { project: string; name: string }) => `${project}/${name}`;

const checkNamed = ({ project, name }: { project: string; name: string }) =>
  new Violations()
    .expect(isProject(project), 'project', projectProblem)
    .expect(name !== '' && isProject(name), 'name', projectProblem);

/** undefined for what no environment can have. */
function textOf(value: Uint8Array): string | undefined {
  if (value.length < leastBytes || value.length > mostBytes || value.includes(0)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value);
  } catch {
    return undefined;
  }
}

const keyProblem =
  'the master has not the key that encrypted it (secrets.key_file, secrets.old_key_files)';

const noKey = () =>
  new PreconditionError({
    reason: 'NO_SECRETS_KEY',
    why: 'this master has no key for secrets: set secrets.key_file to a file with 64 hex digits (openssl rand -hex 32), or PANDAFUZZ_SECRETS_KEY to those',
  });
