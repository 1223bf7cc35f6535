import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cannotListen } from '../../core/errors.js';

const most = 16;
const times = { requestTimeout: 5000, headersTimeout: 5000, connectionsCheckingInterval: 1000 };

/** Where the provider sends the browser back to: a port of this machine, for one sign-in. */
export interface Landing {
  /** As the provider is to know it. */
  readonly uri: string;
  /** What came with the browser, if it is of the sign-in with this state. */
  answerTo(state: string): Promise<string>;
  /** Shows the person how it ended, and closes the port. */
  close(words: string): Promise<void>;
}

/** @throws UserError when there is no free port */
export async function openLanding(): Promise<Landing> {
  const answer = Promise.withResolvers<string>();
  let state: string | undefined;
  let waiting: ServerResponse | undefined;
  const server = createServer(times, ({ url = '' }, response) => {
    const [path, query = ''] = url.split('?', 2);
    const isOurs = path === '/callback' && new URLSearchParams(query).get('state') === state;
    // A page of another site may find this port; it does not know the state.
    if (!isOurs || waiting) return show(response, 404, 'there is nothing here');
    waiting = response;
    answer.resolve(query);
  });
  server.maxConnections = most;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(cannotListen('HTTP', '127.0.0.1', error)));
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`,
    answerTo(wanted) {
      state = wanted;
      return answer.promise;
    },
    async close(words) {
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      if (waiting) show(waiting, 200, words);
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), 1000);
      await promise;
      clearTimeout(timer);
    },
  };
}

/** As text: nothing in it is markup. */
function show(response: ServerResponse, status: number, words: string): void {
  const headers = {
    ...{ 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
    ...{ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer', connection: 'close' },
  };
  response.writeHead(status, headers);
  response.end(`${words}\n`);
}
