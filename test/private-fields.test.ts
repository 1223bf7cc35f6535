import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { temporaryFolder } from './harness.js';

const linter = join(process.cwd(), 'node_modules/.bin/biome');

/** What `make check`'s linter says of this text at this place. */
async function complaints(place: string, text: string): Promise<string> {
  const folder = temporaryFolder();
  cpSync('biome.json', join(folder, 'biome.json'));
  cpSync('lint', join(folder, 'lint'), { recursive: true });
  mkdirSync(join(folder, dirname(place)), { recursive: true });
  writeFileSync(join(folder, place), text);
  const run = promisify(execFile)(linter, ['lint', '.'], { cwd: folder });
  const { stdout, stderr } = await run.catch(
    (failed: { stdout: string; stderr: string }) => failed,
  );
  expect(stdout + stderr).toMatch(/Checked \d+ files?/);
  return stdout + stderr;
}

const casts = [
  'export const f = (call: object) => (call as unknown as { call: object }).call;',
  'export const f = (call: object) => (call as object as Inner).call;\ninterface Inner {\n  call: object;\n}',
  'export const f = (server: Known) => server.http2Servers;\ninterface Known {\n  http2Servers: object;\n}',
  "export const f = (server: Known) => server['commonServerOptions'];\ninterface Known {\n  commonServerOptions: object;\n}",
  'export const f = (session: object) => Object.getOwnPropertySymbols(session);',
];

describe('a private field of grpc-js or Node', () => {
  test.each(casts)('is refused outside beneath/: %s', async (text) => {
    for (const place of ['src/rpc/a.ts', 'src/state/a.ts', 'test/a.ts']) {
      expect(await complaints(place, text)).toContain('belong in src/rpc/beneath/');
    }
    expect(await complaints('src/rpc/beneath/a.ts', text)).not.toContain('plugin');
  });

  test('is refused in a cast to a type without a name, where grpc-js is used', async () => {
    const text = 'export const f = (call: object) => (call as { call: object }).call;';
    for (const place of ['src/rpc/streams/a.ts', 'src/client/a.ts', 'src/bot/a.ts']) {
      expect(await complaints(place, text)).toContain('A cast to a type without a name');
    }
    expect(await complaints('src/rpc/beneath/a.ts', text)).not.toContain('plugin');
  });
});
