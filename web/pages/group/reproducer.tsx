import { useState } from 'preact/hooks';
import { useAsk } from '../../api/ask.js';
import { stream } from '../../api/call.js';
import { bytes as sized } from '../../format/figures.js';
import { Action } from '../../frame/actions.js';
import { FailureLine } from '../../frame/panel.js';
import type { Crash } from '../../gen/pandafuzz/v1/crash.js';
import { bytesOf, hexLines, textOf } from '../../text/hex.js';
import { Lines } from '../../text/lines.js';

const shownAtFirst = 256;
/** What is looked at; the rest is for the download. */
const mostShown = 64 * 1024;

/** The input of a crash: as hex and as text, and the file itself. */
export function Reproducer({ of: crash }: { of: Crash }) {
  const [form, setForm] = useState<'hex' | 'text'>('hex');
  const [isWhole, setWhole] = useState(false);
  const crashId = crash.id ?? '';
  // An input never changes: it is asked for once a day.
  const answer = useAsk(`input ${crashId}`, (signal) => begin(crashId, signal), 86_400_000);
  const all = answer.value;
  const shown = isWhole ? all : all?.subarray(0, shownAtFirst);
  return (
    <>
      <p>
        {sized(crash.inputSizeBytes)}
        {crash.minimisedFrom ? ', made smaller' : ''}{' '}
        <span class="muted">
          SHA-256 <code>{(crash.inputSha256 ?? '').slice(0, 16)}</code>
        </span>
      </p>
      <p class="buttons">
        <button type="button" aria-pressed={form === 'hex'} onClick={() => setForm('hex')}>
          Hex
        </button>
        <button type="button" aria-pressed={form === 'text'} onClick={() => setForm('text')}>
          Text
        </button>
        <Action act={() => download(crashId)}>Download</Action>
      </p>
      {answer.failure && <FailureLine of={answer} />}
      {shown && (
        <Lines of={form === 'hex' ? hexLines(shown) : textOf(shown)} label="Input of the crash" />
      )}
      {all && !isWhole && all.length > shownAtFirst && (
        <button type="button" onClick={() => setWhole(true)}>
          Show {sized(Math.min(all.length, mostShown))}
        </button>
      )}
    </>
  );
}

async function begin(crashId: string, abort: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const enough = new AbortController();
  const held: Uint8Array[] = [];
  let length = 0;
  for await (const piece of pieces(crashId, AbortSignal.any([abort, enough.signal]))) {
    held.push(piece);
    length += piece.length;
    if (length >= mostShown) break;
  }
  enough.abort();
  const all = new Uint8Array(Math.min(length, mostShown));
  let at = 0;
  for (const piece of held) {
    all.set(piece.subarray(0, all.length - at), at);
    at += Math.min(piece.length, all.length - at);
  }
  return all;
}

async function* pieces(crashId: string, abort: AbortSignal) {
  for await (const { chunk } of stream('CrashService', 'DownloadCrashInput', { crashId }, abort)) {
    if (chunk) yield bytesOf(chunk);
  }
}

/** Bytes for a file of no type, so that nothing opens it; its name is made of the id. */
async function download(crashId: string): Promise<string> {
  const all: Uint8Array<ArrayBuffer>[] = [];
  for await (const piece of pieces(crashId, AbortSignal.timeout(600_000))) all.push(piece);
  const address = URL.createObjectURL(new Blob(all, { type: 'application/octet-stream' }));
  const link = document.createElement('a');
  link.href = address;
  link.download = `crash-${crashId}.bin`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
  return `The input of crash ${crashId} is downloaded.`;
}
