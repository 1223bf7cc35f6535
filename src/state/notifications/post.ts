import { Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest, Agent as TlsAgent } from 'node:https';
import type { Clock } from '../../core/clock.js';
import { TimeoutError } from '../../core/errors.js';
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
 * Without connections that are kept, and without proxies. Node's own agent takes the
 * environment's proxy where NODE_USE_ENV_PROXY is set, and for loopback as well. Its fetch
 * does the same and takes no other agent, which is why it is not used here.
 */
const direct = { 'http:': new Agent(), 'https:': new TlsAgent() };

/**
 * Posts a body once. Redirects are answers like any other.
 *
 * @throws TimeoutError; the signal's reason; Node's error when there was no answer
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
    throw ended.signal.aborted ? ended.signal.reason : error;
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
      ...(isLoopback(url) && { agent: direct[url.protocol as keyof typeof direct] }),
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

function isLoopback({ hostname }: URL): boolean {
  return /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}
