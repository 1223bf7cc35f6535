import { clipUtf8 } from '../../core/clip.js';
import type { OutputPiece } from '../sandbox/output-record.js';

/** What the contract allows for a crash's report, bytes. */
export const longestReportBytes = 128 * 1024;
/** Of that, for the sanitizer's own file. */
const longestLogBytes = 72 * 1024;

/** libFuzzer's lines about its progress, which would crowd out the target's. */
const progressLines =
  /^(?:#\d{1,15}\t(?:INITED|NEW|REDUCE|RELOAD|pulse|DONE|READ) |\tNEW_(?:FUNC|PC)\[|stat::\w)[^\n]*\n?/gm;

/**
 * The report of one artifact: what was printed before it, with the text of the
 * sanitizer's file at the place where the sanitizer would have printed it.
 *
 * @returns at most 128 KiB of UTF-8
 */
export function composeReport(output: readonly OutputPiece[], sanitizerLog: string): string {
  const log = clipMiddle(sanitizerLog, longestLogBytes);
  const texts = output.map(({ bytes }) => bytes.toString('utf8').replace(progressLines, ''));
  const roomBytes = longestReportBytes - Buffer.byteLength(log) - 64 * (texts.length + 1);
  const clipped = clipPieces(texts, roomBytes);
  const withGaps = clipped.map((text, i) => gap(output[i]?.omittedBytes ?? 0) + text);
  return clipUtf8(insert(withGaps.join(''), log), longestReportBytes);
}

/** The last piece gets at least five eighths of the room: it holds the report. */
function clipPieces(texts: readonly string[], roomBytes: number): string[] {
  const sizes = texts.map((text) => Buffer.byteLength(text));
  if (sizes.reduce((sum, size) => sum + size, 0) <= roomBytes) return [...texts];
  let leftBytes = roomBytes;
  return texts.map((text, i) => {
    if (i === texts.length - 1) return clipStart(text, leftBytes);
    const clipped = clipUtf8(text, Math.floor(roomBytes * (i === 0 ? 1 / 8 : 1 / 4)));
    leftBytes -= Buffer.byteLength(clipped);
    return clipped;
  });
}

/**
 * A sanitizer that has a file writes its stack there; libFuzzer's headline stays on
 * standard error. Without a headline the file goes before libFuzzer's account of the input.
 */
function insert(text: string, log: string): string {
  if (log === '') return text;
  const headline = text.lastIndexOf('ERROR: libFuzzer: ');
  const account = text.lastIndexOf('MS: ');
  const at = headline >= 0 ? endOfLine(text, headline) : account >= 0 ? account : text.length;
  const before = text.slice(0, at);
  const between = before === '' || before.endsWith('\n') ? '' : '\n';
  return `${before}${between}${log}${log.endsWith('\n') ? '' : '\n'}${text.slice(at)}`;
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end + 1;
}

const gap = (omittedBytes: number) =>
  omittedBytes > 0 ? `\n[... ${omittedBytes} bytes left out ...]\n` : '';

/** Head and tail of a text that is too long, three quarters for the head. */
export function clipMiddle(text: string, maxBytes: number): string {
  const sizeBytes = Buffer.byteLength(text);
  if (sizeBytes <= maxBytes) return text;
  const headBytes = Math.floor((maxBytes * 3) / 4);
  const tailBytes = maxBytes - headBytes - 64;
  const omittedBytes = sizeBytes - headBytes - tailBytes;
  return `${clipUtf8(text, headBytes)}${gap(omittedBytes)}${clipStart(text, tailBytes)}`;
}

/** The longest end of `text` that is at most `maxBytes` of UTF-8. */
function clipStart(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text.slice(Math.max(text.length - maxBytes, 0)), 'utf8');
  let start = Math.max(bytes.length - maxBytes, 0);
  while (start < bytes.length && ((bytes[start] as number) & 0xc0) === 0x80) start++;
  return bytes.toString('utf8', start);
}
