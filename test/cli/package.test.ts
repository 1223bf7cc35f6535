import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

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
