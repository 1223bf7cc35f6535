import { clipUtf8 } from './clip.js';
import { systemClock } from './clock.js';
import { RateLimit } from './rate-limit.js';

/** A line longer than this is clipped: fields that callers fill may have any length, bytes. */
const longestLine = 4096;
const longestText = 1024;
const mostItems = 32;
const mostDepth = 6;

/** The line with its long texts and lists clipped; it stays one line of JSON. */
export function clipped(line: string): string {
  if (line.length <= longestLine) return line;
  const whole = clippedValue(JSON.parse(line), mostDepth) as Record<string, unknown>;
  const short = `${JSON.stringify(whole)}\n`;
  if (short.length <= 4 * longestLine) return short;
  const { level, time, msg } = whole;
  return `${JSON.stringify({ level, time, msg, clippedBytes: Buffer.byteLength(line) })}\n`;
}

function clippedValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return clippedText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth === 0) return '…';
  if (Array.isArray(value)) {
    return value.slice(0, mostItems).map((item) => clippedValue(item, depth - 1));
  }
  const entries = Object.entries(value).slice(0, mostItems);
  return Object.fromEntries(
    entries.map(([key, inner]) => [clippedText(key), clippedValue(inner, depth - 1)]),
  );
}

function clippedText(text: string): string {
  if (text.length <= longestText) return text;
  const shown = clipUtf8(text, longestText);
  return `${shown}… (${text.length} characters)`;
}

/** Lines of one event of one peer: at once, and in each second after that. */
const linesOfPeer = { atOnce: 50, perSecond: 1 };
/** Bytes of the whole log: a fleet of ten thousand that comes back together has its lines. */
const bytesOfLog = { atOnce: 16 * 1024 * 1024, perSecond: 256 * 1024 };
/** Peers that are counted; the one that was first goes. */
const mostPeers = 4096;

/** Fields that name whose doing a line is, the first that is there. */
const peerFields = ['bot', 'botName', 'job', 'path', 'webhook'] as const;

/**
 * Bounds how much a peer can have logged, and all peers together. The lines left out are
 * counted on the next line of that event and peer, as `suppressed`.
 */
export class LogRate {
  readonly #peers = new Map<string, { limit: RateLimit; suppressed: number }>();
  readonly #bytes = new RateLimit(bytesOfLog, systemClock);
  #suppressedInAll = 0;

  get suppressedInAll(): number {
    return this.#suppressedInAll;
  }

  /** @returns how many lines like it were left out before; undefined: this one is left out */
  lets(fields: unknown, event: string): number | undefined {
    const key = `${event} ${peerOf(fields)}`.slice(0, 256);
    let peer = this.#peers.get(key);
    if (!peer) {
      peer = { limit: new RateLimit(linesOfPeer, systemClock), suppressed: 0 };
      this.#peers.set(key, peer);
      if (this.#peers.size > mostPeers) this.#peers.delete(this.#peers.keys().next().value ?? '');
    }
    if (!peer.limit.take()) {
      peer.suppressed++;
      this.#suppressedInAll++;
      return undefined;
    }
    const { suppressed } = peer;
    peer.suppressed = 0;
    return suppressed;
  }

  /** Whether the whole log has room for so much. */
  letsBytes(bytes: number): boolean {
    if (this.#bytes.take(bytes)) return true;
    this.#suppressedInAll++;
    return false;
  }
}

function peerOf(fields: unknown): string {
  if (typeof fields !== 'object' || fields === null) return '';
  for (const name of peerFields) {
    const value = (fields as Record<string, unknown>)[name];
    if (typeof value === 'string') return value;
  }
  return '';
}
