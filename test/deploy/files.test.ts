import { spawnSync } from 'node:child_process';
import {
  accessSync,
  constants,
  existsSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse, parseAllDocuments } from 'yaml';
import { makeProgram } from '../../src/cli/program.js';
import { loadBotConfig, loadMasterConfig } from '../../src/config/load.js';
import { temporaryFolder } from '../harness.js';

/** What deploy/ names exists: files, commands, settings, ports and paths. */

const text = (path: string) => readFileSync(path, 'utf8');
const commands = (await makeProgram()).commands.map((command) => command.name());

type Environment = Record<string, string>;

/** Reads settings as the process in the container does. */
const configOf: Record<string, (environment: Environment) => object> = {
  master: (environment) => loadMasterConfig({ environment }),
  bot: (environment) => loadBotConfig({ environment }),
};

const containerfile = text('deploy/container/Containerfile');
const linesOf = (word: string) =>
  containerfile
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.startsWith(`${word} `))
    .map((line) => line.slice(word.length + 1).trim());

describe('the Containerfile', () => {
  const home = '/opt/pandafuzz/';
  const copied = linesOf('COPY')
    .filter((line) => line.startsWith('--from=build'))
    .flatMap((line) => line.split(/\s+/).slice(1, -1));

  test('copies what the build makes, and what the repository has', () => {
    expect(copied.length).toBeGreaterThan(4);
    for (const path of copied) {
      expect(path.startsWith(home)).toBe(true);
      expect({ path, exists: existsSync(path.slice(home.length)) }).toEqual({ path, exists: true });
    }
  });

  test('leaves out what its build makes anew, and sends the rest', () => {
    const ignored = text('.dockerignore').trim().split('\n');
    for (const name of ignored)
      expect(['.git', '.tools', 'data', 'dist', 'node_modules', 'src/gen', 'web/gen']).toContain(
        name,
      );
    for (const name of ['Makefile', 'package-lock.json', 'proto', 'src', 'web', 'bin']) {
      expect(existsSync(name)).toBe(true);
      expect(ignored).not.toContain(name);
    }
  });

  test('runs targets of the Makefile, and the command by a path that is copied', () => {
    const targets = linesOf('RUN').flatMap((line) => [...line.matchAll(/\bmake (\w+)/g)]);
    expect(targets.length).toBeGreaterThan(0);
    for (const [, target] of targets)
      expect(text('Makefile')).toMatch(new RegExp(`^${target}:`, 'm'));
    const [entry = ''] = linesOf('ENTRYPOINT');
    const path = (JSON.parse(entry) as string[]).at(-1) ?? '';
    expect(copied.some((from) => path.startsWith(`${from}/`))).toBe(true);
    accessSync(path.slice(home.length), constants.X_OK);
  });

  test('opens the ports of a master', () => {
    const { grpc, http } = loadMasterConfig({ environment: {} });
    expect(linesOf('EXPOSE')).toEqual([`${grpc.address.port} ${http.address.port}`]);
  });
});

test.each([
  ['compose.yaml', ['master', 'bot']],
  ['compose-s3.yaml', ['database', 's3', 'master', 'bot']],
])('services of %s are commands, with settings that there are', (file, names) => {
  const { services } = parse(text(`deploy/container/${file}`)) as {
    services: Record<
      string,
      {
        image: string;
        command: string[];
        environment: Environment;
        build?: { context: string; dockerfile: string };
      }
    >;
  };
  expect(Object.keys(services)).toEqual(names);
  for (const { image, command, environment, build } of Object.values(services)) {
    if (image !== 'pandafuzz') continue;
    expect(commands).toContain(command[0]);
    configOf[command[0] as string]?.(environment);
    if (build)
      expect(existsSync(join('deploy/container', build.context, build.dockerfile))).toBe(true);
  }
});

interface Manifest {
  kind: string;
  metadata: { name: string };
  spec: {
    selector?: Record<string, unknown>;
    ports?: { targetPort: string }[];
    template?: { metadata: { labels: Environment }; spec: Pod };
    volumeClaimTemplates?: { metadata: { name: string } }[];
  };
}
interface Pod {
  securityContext: { runAsUser: number };
  containers: {
    image: string;
    args: string[];
    env: { name: string; value?: string }[];
    ports?: { name: string; containerPort: number }[];
    startupProbe?: Probe;
    livenessProbe?: Probe;
    readinessProbe?: Probe;
    volumeMounts: { name: string; mountPath: string }[];
  }[];
  volumes: { name: string }[];
}
interface Probe {
  httpGet: { path: string; port: string };
}

describe('the manifests for Kubernetes', () => {
  const folder = 'deploy/kubernetes';
  const { resources } = parse(text(join(folder, 'kustomization.yaml'))) as { resources: string[] };
  const manifests = resources.flatMap((name) =>
    parseAllDocuments(text(join(folder, name))).map((one) => one.toJS() as Manifest),
  );
  const workloads = manifests.flatMap(({ metadata, spec }) =>
    spec?.template ? [{ name: metadata.name, spec, pod: spec.template }] : [],
  );

  test('are all applied', () => {
    const files = readdirSync(folder).filter((name) => name !== 'kustomization.yaml');
    expect(files.sort()).toEqual([...resources].sort());
    expect(workloads.map(({ name }) => name)).toEqual(['pandafuzz-master', 'pandafuzz-bot']);
  });

  test.each(workloads)('$name runs a command, with settings that there are', ({ pod }) => {
    const [container] = pod.spec.containers;
    const [command = ''] = container?.args ?? [];
    expect(commands).toContain(command);
    const pairs = container?.env.map(({ name, value = 'by-kubernetes' }) => [name, value]) ?? [];
    const environment = Object.fromEntries(pairs) as Environment;
    configOf[command]?.(environment);
    const mounts = container?.volumeMounts.map(({ mountPath }) => `${mountPath}/`) ?? [];
    for (const value of Object.values(environment).filter((one) => one.startsWith('/'))) {
      expect(mounts.some((mount) => `${value}/`.startsWith(mount))).toBe(true);
    }
  });

  test.each(workloads)(
    '$name mounts volumes that it has, as the user of the image',
    ({ spec, pod }) => {
      const claims = spec.volumeClaimTemplates?.map(({ metadata }) => metadata.name) ?? [];
      const volumes = [...pod.spec.volumes.map(({ name }) => name), ...claims];
      const mounted = pod.spec.containers.flatMap(({ volumeMounts }) =>
        volumeMounts.map(({ name }) => name),
      );
      expect(mounted.sort()).toEqual(volumes.sort());
      expect(linesOf('USER')).toEqual([`${pod.spec.securityContext.runAsUser}:10001`]);
    },
  );

  test('probes and services name ports and paths of a master', () => {
    const [container] = workloads[0]?.pod.spec.containers ?? [];
    const ports = container?.ports?.map(({ name, containerPort }) => [name, containerPort]);
    const { grpc, http } = loadMasterConfig({ environment: {} });
    expect(ports).toEqual([
      ['grpc', grpc.address.port],
      ['http', http.address.port],
    ]);
    const { startupProbe, livenessProbe, readinessProbe } = container ?? {};
    const paths = [startupProbe, livenessProbe, readinessProbe].map((probe) => probe?.httpGet.path);
    expect(paths).toEqual(['/healthz', '/healthz', '/readyz']);
    for (const { spec } of manifests.filter(({ kind }) => kind === 'Service')) {
      expect(workloads[0]?.pod.metadata.labels).toMatchObject(spec.selector ?? {});
      for (const { targetPort } of spec.ports ?? []) expect(['grpc', 'http']).toContain(targetPort);
    }
  });
});

describe.each(['master', 'bot'])('the unit of a %s', (name) => {
  const path = `deploy/systemd/pandafuzz-${name}.service`;
  const unit = text(path);

  test('starts a command of ours, with a file that the repository has, as its own user', () => {
    const [, program = '', command = '', file = ''] =
      /^ExecStart=\/opt\/pandafuzz\/(\S+) (\S+) --config (\S+)$/m.exec(unit) ?? [];
    accessSync(program, constants.X_OK);
    expect(commands).toContain(command);
    expect(existsSync(basename(file))).toBe(true);
    const [, user = ''] = /^User=(\S+)$/m.exec(unit) ?? [];
    expect(text('deploy/README.md')).toMatch(new RegExp(`useradd .* ${user}$`, 'm'));
  });

  const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;
  const verify = hasSystemd ? test : test.skip;
  verify(
    `has no fault that systemd finds${hasSystemd ? '' : ' (skipped: no systemd-analyze)'}`,
    () => {
      const copy = join(temporaryFolder(), basename(path));
      const here = unit.replaceAll('/opt/pandafuzz', process.cwd());
      writeFileSync(copy, here.replaceAll(/^(User|Group)=.*$/gm, '$1=root'));
      const { status, stderr } = spawnSync('systemd-analyze', ['verify', copy], {
        encoding: 'utf8',
      });
      expect({
        status,
        found: stderr.split('\n').filter((line) => line.includes('pandafuzz')),
      }).toEqual({
        status: 0,
        found: [],
      });
    },
  );
});
