import { describe, expect, test } from '@jest/globals';
import { unary } from '../../../src/client/call.js';
import { loadMasterConfig } from '../../../src/config/load.js';
import { formatAddress } from '../../../src/config/quantities.js';
import { exposureOf } from '../../../src/rpc/exposure.js';
import { runMasterFor } from '../../harness.js';
import { runSecuredMaster } from '../../secured.js';

const looked = (environment: Record<string, string>) =>
  exposureOf(loadMasterConfig({ environment }));

describe('a master', () => {
  test.each(['127.0.0.1:1', '[::1]:1', 'localhost:1', '127.9.9.9:1'])(
    'on %s takes calls without tokens',
    async (address) => {
      const asked = { PANDAFUZZ_GRPC_ADDRESS: address, PANDAFUZZ_HTTP_ADDRESS: address };
      expect(await looked(asked)).toEqual({ needsTokens: false, warnings: [] });
      const wished = await looked({ ...asked, PANDAFUZZ_AUTH_MODE: 'on' });
      expect(wished).toEqual({ needsTokens: true, warnings: [] });
    },
  );

  test.each([
    ['PANDAFUZZ_GRPC_ADDRESS', '0.0.0.0:1'],
    ['PANDAFUZZ_GRPC_ADDRESS', '[::]:1'],
    ['PANDAFUZZ_GRPC_ADDRESS', '192.0.2.1:1'],
    ['PANDAFUZZ_HTTP_ADDRESS', '[2001:db8::1]:1'],
    ['PANDAFUZZ_HTTP_ADDRESS', '[::ffff:10.0.0.1]:1'],
  ])('with %s=%s does not start, and says what to do', async (variable, address) => {
    const asked = { [variable]: address };
    const setting = variable === 'PANDAFUZZ_GRPC_ADDRESS' ? 'grpc.address' : 'http.address';
    await expect(looked(asked)).rejects.toMatchObject({ exitCode: 78 });
    await expect(looked(asked)).rejects.toThrow(
      `${setting} ${address} can be reached from other machines, without TLS`,
    );
    await expect(looked(asked)).rejects.toThrow(/127\.0\.0\.1.*auth\.allow_insecure_network: true/);
    const allowed = { ...asked, PANDAFUZZ_AUTH_ALLOW_INSECURE_NETWORK: 'true' };
    const { needsTokens, warnings } = await looked(allowed);
    expect(needsTokens).toBe(true);
    expect(warnings).toEqual([expect.stringContaining('(auth.allow_insecure_network)')]);
    const open = await looked({ ...allowed, PANDAFUZZ_AUTH_MODE: 'off' });
    expect(open.needsTokens).toBe(false);
    expect(open.warnings[0]).toContain('without TLS and without tokens');
  });

  test('with TLS and tokens may be reached from anywhere, and without either not', async () => {
    const tls = { PANDAFUZZ_TLS_CERT: 'server.crt', PANDAFUZZ_TLS_KEY: 'server.key' };
    const asked = { ...tls, PANDAFUZZ_GRPC_ADDRESS: '0.0.0.0:1' };
    expect(await looked(asked)).toEqual({ needsTokens: true, warnings: [] });
    const off = { ...asked, PANDAFUZZ_AUTH_MODE: 'off' };
    await expect(looked(off)).rejects.toThrow(
      /other machines, without tokens: set auth\.mode: on,/,
    );
    const allowed = { ...off, PANDAFUZZ_AUTH_ALLOW_INSECURE_NETWORK: 'true' };
    expect((await looked(allowed)).warnings).toEqual([expect.stringContaining('without tokens')]);
  });

  test('that is open to the network says so in its log and in stats', async () => {
    const lines: string[] = [];
    const { pino } = await import('pino');
    const log = pino({ level: 'warn' }, { write: (line: string) => lines.push(line) });
    const { connection } = await runMasterFor(
      {
        PANDAFUZZ_GRPC_ADDRESS: '0.0.0.0:0',
        PANDAFUZZ_AUTH_ALLOW_INSECURE_NETWORK: 'true',
        PANDAFUZZ_AUTH_MODE: 'off',
      },
      undefined,
      { log },
    );
    const { system } = connection;
    const { warnings } = await unary(system, system.getSystemStats, {});
    expect(warnings).toEqual([
      expect.stringMatching(/^grpc\.address 0\.0\.0\.0:0 .*without TLS and without tokens/),
    ]);
    expect(lines.join('')).toContain('can be reached from other machines');
  });

  test('with tokens shows its figures to those alone who have one', async () => {
    const { master, adminToken } = await runSecuredMaster();
    const page = (path: string, token?: string) =>
      fetch(`http://${formatAddress(master.http)}${path}`, {
        headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      });
    expect((await page('/healthz')).status).toBe(200);
    expect((await page('/readyz')).status).toBe(200);
    const refused = await page('/metrics');
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toMatch(/^Bearer/);
    expect(await refused.text()).not.toContain('database_');
    expect((await page('/metrics', 'pf_admin_0')).status).toBe(401);
    const shown = await page('/metrics', adminToken);
    expect(await shown.text()).toContain('database_operation_duration_seconds');
  });
});
