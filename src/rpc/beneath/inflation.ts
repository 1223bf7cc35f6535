import { status as Code } from '@grpc/grpc-js';
import { LightSignal } from '../../core/signal.js';
import { Turns } from '../../core/turns.js';
import { type InnerCall, innerOf } from './shapes.js';
import { type Replace, replaceShared } from './shared-methods.js';

/** Messages that are inflated at the same time, over all calls: zlib has four threads. */
const mostAtOnce = 16;
/** Bytes of inflated messages whose calls are open, over all calls. A bot's beat has 200. */
const mostHeldBytes = 64 * 1024 * 1024;

/**
 * Bounds what compressed messages become. grpc-js inflates each as it comes, however many wait
 * for their turn: 64 KiB on the wire, which is what one call may send ahead, become 60 MiB, and
 * that before anybody has looked at the call's token. Here a message is inflated when it is the
 * next one of its call, a few at a time, and all calls together hold so many bytes.
 *
 * @param call any call: the functions are those of all calls
 */
export function boundInflation(call: object): void {
  const inner = innerOf(call);
  replaceShared(inner, 'decompressMessage', inflating);
  replaceShared(inner, 'maybePushNextMessage', waking);
}

const inflating: Replace<'decompressMessage'> = (decompressMessage) =>
  function inflate(message, encoding) {
    const inflated = () => decompressMessage.call(this, message, encoding);
    return encoding === 'identity' ? inflated() : inflation.inflate(this, message, inflated);
  };

const waking: Replace<'maybePushNextMessage'> = (maybePushNextMessage) =>
  function pushAndWake() {
    maybePushNextMessage.call(this);
    inflation.wake(this);
  };

interface Call {
  heldBytes: number;
  readonly over: LightSignal;
  /** Messages that are not the next one, with what lets them go on. */
  readonly waiting: Map<Buffer, () => void>;
}

class Inflation {
  readonly #calls = new WeakMap<InnerCall, Call>();
  readonly #turns = new Turns(mostAtOnce);
  #heldBytes = 0;

  async inflate(inner: InnerCall, message: Buffer, inflated: () => unknown): Promise<unknown> {
    const call = this.#callOf(inner);
    if (inner.readQueue[0]?.compressedMessage !== message) {
      await new Promise<void>((resolve) => call.waiting.set(message, resolve));
    }
    return await this.#turns.run(call.over, async () => {
      if (inner.stream.destroyed) throw refusal('the call is over');
      const bytes = (await inflated()) as Buffer;
      this.#hold(inner, call, bytes.length);
      return bytes;
    });
  }

  /** Lets the message go on that has become the next one of its call. */
  wake(inner: InnerCall): void {
    const message = inner.readQueue[0]?.compressedMessage;
    const call = message && this.#calls.get(inner);
    if (!call) return;
    call.waiting.get(message)?.();
    call.waiting.delete(message);
  }

  #callOf(inner: InnerCall): Call {
    const known = this.#calls.get(inner);
    if (known) return known;
    const call: Call = { heldBytes: 0, over: new LightSignal(), waiting: new Map() };
    this.#calls.set(inner, call);
    inner.stream.once('close', () => {
      this.#heldBytes -= call.heldBytes;
      call.heldBytes = 0;
      call.over.abort(refusal('the call is over'));
      for (const goOn of call.waiting.values()) goOn();
      call.waiting.clear();
    });
    return call;
  }

  /** In the place of its call's last message, which has been taken. */
  #hold(inner: InnerCall, call: Call, bytes: number): void {
    if (inner.stream.destroyed) return;
    this.#heldBytes += bytes - call.heldBytes;
    call.heldBytes = bytes;
    if (this.#heldBytes > mostHeldBytes) throw refusal('too many compressed messages wait');
  }
}

/** One for all: a process may have several masters. */
const inflation = new Inflation();

const refusal = (details: string) => ({ code: Code.RESOURCE_EXHAUSTED, details, metadata: null });
