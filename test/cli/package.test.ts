import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { temporaryFolder } from '../endings.js';

/** What may be in the package, beside what npm puts into each. */
const ours = [
  /^dist\/src\/.+\.js$/,
  /^dist\/src\/gen\/descriptors\/\w+\.binpb$/,
  /^dist\/src\/store\/postgres\/schema\.sql$/,
  /^dist\/src\/store\/sqlite\/migrations\/[\w-]+\.sql$/,
  /^dist\/web\/.+\.(html|js|css|svg|png|ico|woff2|json)(\.br|\.gz)?$/,
  /^(master|bot)\.yaml$/,
  /^(README\.md|LICENSE|package\.json)$/,
];

/** Packages that a built file imports: neither paths nor Node's own modules. */
const importForms = [
  /^(?:import|export)\b[^;'"]*\bfrom '((?:@[\w.-]+\/)?\w[\w.-]*)(?:\/[\w./-]+)?';/gm,
  /^import '((?:@[\w.-]+\/)?\w[\w.-]*)(?:\/[\w./-]+)?';/gm,
  /\bimport\('((?:@[\w.-]+\/)?\w[\w.-]*)(?:\/[\w./-]+)?'\)/g,
];

const filesUnder = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`);

test('two packages of one build are the same bytes', async () => {
  const hashes: string[] = [];
  for (const folder of [temporaryFolder(), temporaryFolder()]) {
    const pack = ['pack', '--json', '--ignore-scripts', '--offline', '--pack-destination', folder];
    const { stdout } = await promisify(execFile)('npm', pack, { maxBuffer: 2 ** 24 });
    const [packed] = JSON.parse(stdout) as { filename: string }[];
    const bytes = readFileSync(`${folder}/${packed?.filename}`);
    hashes.push(createHash('sha256').update(bytes).digest('hex'));
  }
  expect(hashes[0]).toBe(hashes[1]);
});

test('the list of parts names every dependency, with its version', async () => {
  const sbom = ['sbom', '--sbom-format=cyclonedx', '--package-lock-only'];
  const { stdout } = await promisify(execFile)('npm', sbom, { maxBuffer: 2 ** 26 });
  const { bomFormat, components } = JSON.parse(stdout) as Sbom;
  expect(bomFormat).toBe('CycloneDX');
  const parts = new Set(components.map(({ name, version }) => `${name}@${version}`));
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
  const own = Object.entries(dependencies).map(([name, version]) => `${name}@${version}`);
  expect(own.filter((part) => !parts.has(part))).toEqual([]);
});

interface Sbom {
  readonly bomFormat: string;
  readonly components: readonly { readonly name: string; readonly version: string }[];
}

test('the npm package holds what it needs to run, and nothing else', async () => {
  const pack = ['pack', '--dry-run', '--json', '--ignore-scripts', '--offline'];
  const { stdout } = await promisify(execFile)('npm', pack, { maxBuffer: 2 ** 24 });
  const [packed] = JSON.parse(stdout) as { files: { path: string }[] }[];
  const files = new Set((packed?.files ?? []).map(({ path }) => path));
  expect([...files].filter((path) => !ours.some((one) => one.test(path)))).toEqual([]);

  // Maps are for those who have the sources.
  const built = [...filesUnder('dist/src'), ...filesUnder('dist/web')];
  const needed = built.filter((path) => !path.endsWith('.map'));
  const lacking = [...needed, 'master.yaml', 'bot.yaml', 'LICENSE'].filter(
    (path) => !files.has(path),
  );
  expect(lacking).toEqual([]);
  expect(files).toContain('dist/src/cli/main.js');
  expect(files).toContain('dist/web/index.html');

  // What is installed for development alone is not there.
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
  const known = new Set([...Object.keys(dependencies), ...builtinModules]);
  const imported = new Set<string>();
  for (const path of files) {
    if (!/^dist\/src\/.*\.js$/.test(path)) continue;
    const text = readFileSync(path, 'utf8');
    for (const form of importForms) {
      for (const [, name] of text.matchAll(form)) imported.add(name as string);
    }
  }
  expect(imported).toContain('commander');
  expect([...imported].filter((name) => !known.has(name)).sort()).toEqual([]);
});
