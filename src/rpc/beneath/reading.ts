import type { ServerHttp2Session } from 'node:http2';

/** Node's own handle of a socket. */
interface Handle {
  readStart(): unknown;
  readStop(): unknown;
}

interface HandleOwner {
  readonly _handle?: Partial<Handle> | null;
}

/**
 * Stops reading from a connection, in the midst of what one turn would read from it, and goes
 * on later. An HTTP/2 session has no public way for that: `socket.pause()` throws.
 */
export function stopReading(session: ServerHttp2Session): void {
  handleOf(session)?.readStop();
}

export function goOnReading(session: ServerHttp2Session): void {
  handleOf(session)?.readStart();
}

/** undefined: the connection has ended, or Node keeps it elsewhere. */
function handleOf(session: ServerHttp2Session): Handle | undefined {
  if (session.destroyed || session.closed) return undefined;
  const owner: object | undefined = session.socket;
  const handle = (owner as HandleOwner | undefined)?._handle;
  const isWhole = handle?.readStart !== undefined && handle.readStop !== undefined;
  return isWhole ? (handle as Handle) : undefined;
}
