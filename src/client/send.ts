import { once } from 'node:events';
import { type ClientWritableStream, Metadata, type ServiceError } from '@grpc/grpc-js';
import { deadlineAfter } from './call.js';

/** A client-streaming method of a generated client. */
type Send<Request, Response> = (
  metadata: Metadata,
  callOptions: { deadline: Date },
  callback: (error: ServiceError | null, response: Response) => void,
) => ClientWritableStream<Request>;

/**
 * Sends all messages, no faster than the peer reads. Ends when the peer answers, and takes
 * no further message from the source then.
 *
 * @throws grpc-js's ServiceError, and errors of the source
 */
export async function sendMessages<Request, Response>(
  send: Send<Request, Response>,
  messages: AsyncIterable<Request>,
  options: { timeoutMs: number; signal?: AbortSignal | undefined },
): Promise<Response> {
  const answer = Promise.withResolvers<Response>();
  const answered = new AbortController();
  const deadline = deadlineAfter(options.timeoutMs);
  const call = send(new Metadata(), { deadline }, (error, response) => {
    if (error) answer.reject(error);
    else answer.resolve(response);
    answered.abort();
  });
  const cancel = () => call.cancel();
  options.signal?.addEventListener('abort', cancel, { once: true });
  if (options.signal?.aborted) cancel();
  answer.promise.catch(() => {});
  try {
    for await (const message of messages) {
      if (answered.signal.aborted) break;
      if (!call.write(message)) await writable(call, answered.signal);
    }
    call.end();
    return await answer.promise;
  } catch (error) {
    call.cancel();
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', cancel);
  }
}

/** Resolves when the stream takes more, or the call is answered: then `drain` never fires. */
async function writable(call: NodeJS.EventEmitter, answered: AbortSignal): Promise<void> {
  await once(call, 'drain', { signal: answered }).catch((error) => {
    if (!answered.aborted) throw error;
  });
}
