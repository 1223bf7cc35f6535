import { beforeAll, describe, expect, test } from '@jest/globals';
import { formatAddress } from '../../src/config/quantities.js';
import { runMasterFor, shared } from '../harness.js';

/** Everything compressed, first and later parts. */
const mostBytes = 150 * 1024;

let origin: string;
let index: string;
let assets: string[];

beforeAll(async () => {
  const { master } = await shared(() => runMasterFor({ PANDAFUZZ_AUTH_MODE: 'on' }));
  origin = `http://${formatAddress(master.http)}`;
  index = await (await fetch(origin)).text();
  assets = [...index.matchAll(/"(\/[^"]+\.(?:js|css|svg))"/g)].map(([, path]) => path ?? '');
});

describe('the page, to a caller without a token', () => {
  test('has a policy that lets nothing in from elsewhere, and nothing inline', async () => {
    const { status, headers } = await fetch(origin);
    expect(status).toBe(200);
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).not.toMatch(/unsafe|http|data:|\*/);
    for (const rule of [
      "default-src 'none'",
      "script-src 'self'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
    ]) {
      expect(policy).toContain(rule);
    }
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('cache-control')).toBe('no-cache');
    expect(index).not.toMatch(/<script>|<style|style=|https?:\/\//);
  });

  test('has files that may be kept for a year, by the hashes in their names', async () => {
    expect(assets.length).toBeGreaterThan(2);
    for (const path of assets) {
      const { status, headers } = await fetch(origin + path);
      expect([path, status]).toEqual([path, 200]);
      expect(headers.get('cache-control')).toBe(
        path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
      );
    }
  });

  test('stays under 150 KiB in all', async () => {
    const script = assets.find((path) => /assets\/index.*js$/.test(path)) ?? '';
    const text = await (await fetch(origin + script)).text();
    const later = [...text.matchAll(/assets\/[\w-]+\.(?:js|css)/g)].map(([path]) => `/${path}`);
    const all = new Set([...assets, ...later]);
    let bytes = 0;
    for (const path of all) {
      const { headers } = await fetch(origin + path, { headers: { 'accept-encoding': 'br' } });
      expect(headers.get('content-encoding')).toBe('br');
      bytes += Number(headers.get('content-length'));
    }
    expect(all.size).toBeGreaterThan(assets.length);
    expect(bytes).toBeGreaterThan(10_000);
    expect(bytes).toBeLessThan(mostBytes);
  });

  test.each(['/groups', '/groups/0198c0de', '/targets/default/a%2Fb', '/jobs?state=dead'])(
    'answers %s with its index',
    async (path) => {
      expect(await (await fetch(origin + path)).text()).toBe(index);
    },
  );

  test.each(['/assets/index-00000000.js', '/nothing', '/assets/../../package.json', '/index.htm'])(
    'has no %s',
    async (path) => {
      const { status, headers } = await fetch(origin + path);
      expect(status).toBe(404);
      expect(headers.get('content-type')).toBe('text/plain');
    },
  );

  test('is not sent again while it is the same', async () => {
    const etag = (await fetch(origin)).headers.get('etag') ?? '';
    const again = await fetch(origin, { headers: { 'if-none-match': etag } });
    expect(again.status).toBe(304);
    expect(await again.text()).toBe('');
    const plain = await fetch(origin, { headers: { 'accept-encoding': 'br;q=0, identity' } });
    expect(plain.headers.get('content-encoding')).toBe(null);
    const head = await fetch(origin, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });
});
