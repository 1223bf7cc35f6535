import { Failure, failureFrom, failureOf } from './failure.js';
import { failed, heard, succeeded } from './line.js';
import type { AnswerOf, Method, RequestOf, Services, StreamedOf } from './services.js';
import { own, sessionCount } from './session.js';

/** Unary calls and server streams by the Connect protocol, with JSON. */

/** Longest wait for an answer, milliseconds. */
const deadlineMs = 10_000;

const urlOf = (service: string, method: string) => `/pandafuzz.v1.${service}/${method}`;

const headersFor = (type: string): Record<string, string> => ({
  'content-type': type,
  'connect-protocol-version': '1',
});

/** @throws Failure; the signal's reason when it fires */
export async function call<Name extends keyof Services, M extends Method<Name>>(
  service: Name,
  method: M,
  request: RequestOf<Name, M>,
  signal?: AbortSignal,
): Promise<AnswerOf<Name, M>> {
  const asked = sessionCount;
  const askedAt = performance.now();
  const timeout = AbortSignal.timeout(deadlineMs);
  try {
    const response = await fetch(urlOf(service, method), {
      method: 'POST',
      headers: { ...headersFor('application/json'), 'connect-timeout-ms': String(deadlineMs) },
      body: JSON.stringify(request),
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      ...own,
    });
    heard(response.headers.get('date'));
    const json = await jsonOf(response);
    if (!response.ok || json === undefined)
      throw failureFrom(json, response.status, idOf(response));
    succeeded(askedAt);
    return json as AnswerOf<Name, M>;
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    const failure = failureOf(error);
    // A refusal of a session that is over says nothing.
    if (asked === sessionCount) failed(failure);
    throw failure;
  }
}

const idOf = (response: Response) => response.headers.get('trailer-x-request-id') ?? '';

async function jsonOf(response: Response): Promise<Record<string, unknown> | undefined> {
  const type = response.headers.get('content-type') ?? '';
  if (!type.startsWith('application/json')) return undefined;
  return (await response.json()) as Record<string, unknown>;
}

const flagOfEnd = 2;
const headBytes = 5;
/** Largest message of a stream that is read. */
const mostBytes = 8 * 1024 * 1024;

/** The messages of a server stream. @throws Failure, also where it breaks before its end */
export async function* stream<Name extends keyof Services, M extends Method<Name>>(
  service: Name,
  method: M,
  request: RequestOf<Name, M>,
  signal: AbortSignal,
): AsyncGenerator<StreamedOf<Name, M>> {
  try {
    const response = await fetch(urlOf(service, method), {
      method: 'POST',
      headers: headersFor('application/connect+json'),
      body: enveloped(JSON.stringify(request)),
      signal,
      ...own,
    });
    heard(response.headers.get('date'));
    if (!response.ok || !response.body) {
      throw failureFrom(await jsonOf(response), response.status, idOf(response));
    }
    for await (const { flags, json } of frames(response.body)) {
      heard(null);
      if ((flags & flagOfEnd) === 0) {
        yield json as StreamedOf<Name, M>;
        continue;
      }
      const { error } = json as { error?: Record<string, unknown> };
      if (error) throw failureFrom(error, response.status, idOf(response));
      return;
    }
    throw new Failure('unavailable', 'the stream broke');
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw failureOf(error);
  }
}

function enveloped(text: string): Uint8Array<ArrayBuffer> {
  const body = new TextEncoder().encode(text);
  const all = new Uint8Array(headBytes + body.length);
  new DataView(all.buffer).setUint32(1, body.length);
  all.set(body, headBytes);
  return all;
}

async function* frames(body: ReadableStream<Uint8Array>) {
  let held = new Uint8Array(0);
  for await (const chunk of body) {
    const joined = new Uint8Array(held.length + chunk.length);
    joined.set(held);
    joined.set(chunk, held.length);
    held = joined;
    for (;;) {
      if (held.length < headBytes) break;
      const view = new DataView(held.buffer, held.byteOffset, held.length);
      const length = view.getUint32(1);
      if (length > mostBytes) throw new Failure('internal', 'a message is too long');
      if (held.length < headBytes + length) break;
      const text = new TextDecoder().decode(held.subarray(headBytes, headBytes + length));
      yield { flags: view.getUint8(0), json: JSON.parse(text) as unknown };
      held = held.slice(headBytes + length);
    }
  }
}
