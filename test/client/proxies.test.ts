import { createServer } from 'node:http';
import { type AddressInfo, connect as connectTo } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { pandafuzz } from '../cli/run.js';
import { atEnd, runMasterFor } from '../harness.js';

/** A proxy that leads every CONNECT to `port`, and counts them. */
async function proxyTo(port: number) {
  const wishes: string[] = [];
  const server = createServer();
  server.on('connect', (request, socket) => {
    wishes.push(request.url ?? '');
    const far = connectTo(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      far.pipe(socket).pipe(far);
    });
    for (const end of [far, socket]) {
      end.on('error', () => {});
      atEnd(() => end.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, wishes };
}

describe('a proxy of the environment', () => {
  test.each(['http_proxy', 'https_proxy', 'grpc_proxy'])(
    'in %s is not taken to a master on this machine, and is to one elsewhere',
    async (variable) => {
      const { master, address } = await runMasterFor();
      const proxy = await proxyTo(master.grpc.port);
      const stats = (where: string) =>
        pandafuzz(['stats', '--master', where], { environment: { [variable]: proxy.url } });
      expect(await stats(address)).toMatchObject({ code: 0, err: '' });
      expect(proxy.wishes).toEqual([]);
      expect(await stats('fuzz.test:50051')).toMatchObject({ code: 0, err: '' });
      expect(proxy.wishes).toEqual(['fuzz.test:50051']);
    },
  );

  test('is named where nothing answers through it', async () => {
    const environment = { http_proxy: 'http://ann:secret@127.0.0.1:9' };
    const { code, err } = await pandafuzz(['stats', '--master', 'fuzz.test:50051'], {
      environment,
    });
    expect(code).toBe(69);
    expect(err).toContain(
      'pandafuzz: no master answers at fuzz.test:50051 through the proxy of http_proxy (http://127.0.0.1:9): unset http_proxy, or add fuzz.test to no_proxy',
    );
    expect(err).not.toContain('secret');
  });
});
