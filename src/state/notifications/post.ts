import { Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest, Agent as TlsAgent } from 'node:https';
import type { Clock } from '../../core/clock.js';
import { messageOf, TimeoutError } from '../../core/errors.js';
import { isDirect, throughProxy, webProxy } from '../../core/proxies.js';
import type { Signal } from '../../core/signal.js';

/** Of an answer, what decides about a delivery. */
export interface Answer {
  readonly status: number;
  /** The header Retry-After, as it came. */
  readonly retryAfter: string | undefined;
}

/** Of an answer's body, as much is read; then the connection is closed, bytes. */
const mostBodyBytes = 16 * 1024;

/**
 * Without connections that are kept. Node's own agents take the environment's proxy only where
 * NODE_USE_ENV_PROXY is set, and for loopback as well; its fetch takes no other agent.
 */
const direct = { 'http:': new Agent({ proxyEnv: {} }), 'https:': new TlsAgent({ proxyEnv: {} }) };

const agentFor = (url: URL): Agent => {
  const protocol = url.protocol as keyof typeof direct;
  if (isDirect(url.hostname, process.env)) return direct[protocol];
  const options = { proxyEnv: process.env };
  return protocol === 'https:' ? new TlsAgent(options) : new Agent(options);
};

/**
 * Posts a body once. Redirects are answers like any other.
 *
 * @throws TimeoutError; the signal's reason; Node's error when there was no answer, with the
 *   proxy in its message if there is one
 */
export async function post(
  message: { url: URL; headers: Record<string, string>; body: string },
  within: { clock: Clock; timeoutMs: number; signal: Signal },
): Promise<Answer> {
  const { clock, timeoutMs, signal } = within;
  signal.throwIfAborted();
  const ended = new AbortController();
  const onStop = () => ended.abort(signal.reason);
  signal.addEventListener('abort', onStop, { once: true });
  const timer = clock.schedule(timeoutMs, () =>
    ended.abort(new TimeoutError({ operation: 'webhook', durationMs: timeoutMs })),
  );
  try {
    return await exchange(message, ended.signal);
  } catch (error) {
    throw ended.signal.aborted ? ended.signal.reason : naming(error, message.url);
  } finally {
    timer.cancel();
    signal.removeEventListener('abort', onStop);
  }
}

function exchange(
  { url, headers, body }: { url: URL; headers: Record<string, string>; body: string },
  signal: AbortSignal,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const bytes = Buffer.from(body);
    const options = {
      method: 'POST',
      headers: { ...headers, 'Content-Length': bytes.length },
      signal,
      agent: agentFor(url),
    };
    const begin = url.protocol === 'https:' ? httpsRequest : httpRequest;
    let answer: Answer | undefined;
    const sent: ClientRequest = begin(url, options, (response) => {
      const { statusCode: status = 0, headers: answered } = response;
      answer = { status, retryAfter: answered['retry-after'] };
      pass(response, () => resolve(answer as Answer));
    });
    // The status counts, however the body ends.
    sent.on('error', (error) => (answer ? resolve(answer) : reject(error)));
    sent.end(bytes);
  });
}

/** Reads a body to its end or as much as is allowed, so that its sender is not cut off early. */
function pass(response: IncomingMessage, done: () => void): void {
  let leftBytes = mostBodyBytes;
  response.on('data', (chunk: Buffer) => {
    leftBytes -= chunk.length;
    if (leftBytes < 0) response.destroy();
  });
  response.on('error', () => {});
  response.on('close', done);
}

/** The error, with the proxy that it went through. */
function naming(error: unknown, url: URL): unknown {
  const proxy = webProxy(url, process.env);
  if (!proxy) return error;
  return new Error(`${messageOf(error)}, ${throughProxy(proxy, url.hostname)}`, { cause: error });
}
