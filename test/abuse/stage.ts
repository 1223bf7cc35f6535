import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unary } from '../../src/client/call.js';
import { type Connection, connect } from '../../src/client/connect.js';
import type { Artifact } from '../../src/gen/pandafuzz/v1/artifact.js';
import { Role } from '../../src/gen/pandafuzz/v1/identity_service.js';
import { makeCa, makeServer } from '../../src/operator/certificates/make.js';
import { atEnd, temporaryFolder } from '../endings.js';
import { fastPathSetting } from '../harness.js';
import { Process, place, reach } from '../processes.js';
import { CrookedProvider } from '../providers/crooked.js';
import { settingsFor } from '../providers/real.js';
import { eventually, given, registerBot } from '../steps.js';
import { HonestBot } from './honest-bot.js';

/** Short times, so that what waits for them does not wait long. */
const times = {
  PANDAFUZZ_TIMEOUTS_REQUEST: '1s',
  PANDAFUZZ_TIMEOUTS_IDLE_CONNECTION: '2s',
  PANDAFUZZ_TIMEOUTS_STALLED_STREAM: '1s',
  PANDAFUZZ_TIMEOUTS_STALLED_TRANSFER: '1s',
};

/** Memory of a master that is abused, MiB: it has about 245 before, as V8 is in no hurry. */
export const mostMemoryMib = 512;

/** Masters as processes of their own, and who uses them. */
export class Stage {
  #target: Promise<Artifact> | undefined;

  private constructor(
    readonly master: Process,
    /** gRPC, without TLS: each call needs a token. */
    readonly address: string,
    readonly http: string,
    /** The same from a master that speaks TLS. */
    readonly tls: { readonly process: Process; readonly address: string; readonly http: string },
    readonly tokens: Readonly<Record<'admin' | 'operator' | 'viewer' | 'bot', string>>,
    readonly admin: Connection,
    readonly operator: Connection,
    /** Of the token of role bot. */
    readonly bot: { readonly id: string; readonly connection: Connection },
    readonly honest: HonestBot,
    /** By whom people sign in to the first. */
    readonly provider: CrookedProvider,
  ) {}

  /** The target that jobs are made with, uploaded once. */
  target(upload: () => Promise<Artifact>): Promise<Artifact> {
    this.#target ??= upload();
    return this.#target;
  }

  static async set(): Promise<Stage> {
    const provider = await CrookedProvider.start();
    const [plain, secured] = await Promise.all([startPlain(provider), startWithTls()]);
    const file = join(plain.data, 'admin.token');
    const adminToken = await eventually(async () => read(file));
    const as = (token: string) => {
      const connection = connect(plain.address, { token: () => token });
      atEnd(() => connection.close());
      return connection;
    };
    const admin = as(adminToken);
    const made = (role: Role) =>
      unary(admin.identity, admin.identity.createToken, {
        ...{
          name: Role[role],
          role,
          validSeconds: 0,
          pool: '',
          botId: '',
          projects: [],
          certificate: '',
        },
      }).then(({ secret }) => secret);
    const tokens = {
      admin: adminToken,
      operator: await made(Role.OPERATOR),
      viewer: await made(Role.VIEWER),
      bot: await made(Role.BOT),
    };
    const honestToken = await made(Role.BOT);
    const connection = as(tokens.bot);
    const bot = { id: (await registerBot(connection, 'abuser')).id, connection };
    const { id } = await registerBot(as(honestToken), 'honest');
    const honest = new HonestBot(plain.address, {
      id,
      authorization: `Bearer ${honestToken}`,
    });
    atEnd(() => honest.leave());
    const { process, address, http } = plain;
    return new Stage(
      process,
      address,
      http,
      secured,
      tokens,
      admin,
      as(tokens.operator),
      bot,
      honest,
      provider,
    );
  }

  /** What of the master is not as it should be. */
  async problems(beatsBefore: number): Promise<string[]> {
    const problems: string[] = [];
    for (const { pid } of [this.master, this.tls.process]) {
      const memoryMib = memoryOf(pid);
      if (memoryMib === undefined) problems.push('the master is gone');
      else if (memoryMib > mostMemoryMib) problems.push(`${memoryMib} MiB of memory`);
    }
    if (!(await this.honest.beatsOn())) problems.push('the honest bot lost its stream');
    if (this.honest.beats <= beatsBefore) problems.push('the honest bot stood still');
    await unary(this.admin.system, this.admin.system.getSystemStats, {});
    return problems;
  }
}

async function startPlain({ issuer }: CrookedProvider) {
  const { address, directory, environment } = await place();
  const master = new Process(['master'], {
    ...environment,
    ...times,
    ...settingsFor(issuer),
    PANDAFUZZ_OIDC_PAGE: `http://${environment.PANDAFUZZ_HTTP_ADDRESS}`,
    PANDAFUZZ_AUTH_MODE: 'on',
    PANDAFUZZ_LIMITS_MAX_UNFINISHED_REQUESTS: '400',
    PANDAFUZZ_LIMITS_MAX_UNSENT: '16MiB',
    PANDAFUZZ_GRPC_FAST_PATH: fastPathSetting,
  });
  await reach(address).then(({ close }) => close());
  const http = environment.PANDAFUZZ_HTTP_ADDRESS;
  return { process: master, address, http, data: join(directory, 'data') };
}

async function startWithTls() {
  const { address, environment } = await place();
  const folder = temporaryFolder();
  const validity = { from: new Date(), days: 30 };
  const ca = await makeCa('abuse', validity);
  const { cert, key } = await makeServer(ca, ['127.0.0.1'], validity);
  const files = { CERT: join(folder, 'server.crt'), KEY: join(folder, 'server.key') };
  writeFileSync(files.CERT, cert);
  writeFileSync(files.KEY, key);
  const master = new Process(['master'], {
    ...environment,
    ...times,
    PANDAFUZZ_TLS_CERT: files.CERT,
    PANDAFUZZ_TLS_KEY: files.KEY,
  });
  await master.says('master ready');
  return { process: master, address, http: environment.PANDAFUZZ_HTTP_ADDRESS };
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** MiB that a process had at most; undefined: it is gone. */
function memoryOf(pid: number): number | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Math.round(Number(given(/^VmHWM:\s+(\d+)/m.exec(status)?.[1])) / 1024);
  } catch {
    return undefined;
  }
}
