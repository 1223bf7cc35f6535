import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { unary } from '../client/call.js';
import type { Connection } from '../client/connect.js';
import { messageOf, UserError } from '../core/errors.js';
import { AuditEntry, AuditKind } from '../gen/pandafuzz/v1/identity_service.js';
import { aboutPairs, type Link, type Verified, verifyChain } from './audit-chain.js';
import { broken, dataError, noInput, notCompared } from './exit-codes.js';
import { ago } from './format.js';
import { type ListFlags, showListing } from './listing.js';
import { complain, jsonLine, type OutputFlags, print, taken } from './output.js';
import { each, largestPage, type ReadPage } from './pages.js';
import { asking, type Flags } from './session.js';
import { auditSorts } from './sorts.js';
import type { CallOptions } from './submit.js';
import { table, terminalWidth } from './table.js';
import { or, word } from './words.js';

/** `pandafuzz audit …`. */

export interface AuditFilter {
  readonly since?: Date;
  /** Name of a token. */
  readonly who?: string;
}

export function showAudit(flags: Flags & ListFlags & AuditFilter): Promise<void> {
  return asking(flags, async (connection, options) => {
    await showListing(flags, {
      items: 'entries',
      first: 'newest',
      read: auditPages(connection, { ...flags, oldestFirst: false }, options),
      sorts: auditSorts,
      toJson: AuditEntry.toJSON,
      text: (entries, width) => auditTable(entries, Date.now(), width),
    });
  });
}

/** A line of JSON for each entry, the oldest first. */
export function exportAudit(flags: Flags & AuditFilter): Promise<void> {
  return asking(flags, async (connection, options) => {
    const read = auditPages(connection, { ...flags, oldestFirst: true }, options);
    for await (const entry of each(read, largestPage)) {
      process.stdout.write(jsonLine(AuditEntry.toJSON(entry)));
      await taken(options.signal);
    }
  });
}

/**
 * Verifies the master's log, or an export of it.
 *
 * @returns the exit code
 */
export async function verifyAudit(
  flags: Flags & OutputFlags & { readonly head?: Link; readonly file?: string },
): Promise<number> {
  const { file, head } = flags;
  if (file !== undefined) return tell(flags, await verifyChain(() => entriesIn(file), head));
  return asking(flags, async (connection, options) => {
    const pages = auditPages(connection, { oldestFirst: true }, options);
    return tell(flags, await verifyChain(() => each(pages, largestPage), head));
  });
}

function tell(flags: OutputFlags & { readonly head?: Link }, { check, wrong }: Verified): number {
  const { first, last, count } = check;
  const isUncompared = !wrong && check.isHeadGone;
  if (wrong) complain(`the audit log is broken at entry ${wrong.sequence}: ${wrong.problem}`);
  if (isUncompared) {
    complain(
      `entry ${flags.head?.sequence} of --head is older than the log, which begins with ` +
        `entry ${first?.sequence}: not compared\n` +
        'compare it with an export from that time (--file), and note a newer head',
    );
  }
  const head = last ? `${last.sequence}:${last.hash}` : '';
  const json = () => ({
    ...{ entries: count, first: first?.sequence, head, broken: wrong },
    ...(flags.head && !wrong && { headCompared: !isUncompared }),
  });
  const intact = last
    ? `${count} entries since ${first?.time?.toISOString()}, unbroken\nhead ${head}`
    : 'the audit log is empty';
  const text = () => (wrong ? `${count} entries before that one are as they were` : intact);
  print(flags, { json, text });
  if (wrong) return broken;
  return isUncompared ? notCompared : 0;
}

async function* entriesIn(file: string): AsyncGenerator<AuditEntry> {
  let line = 0;
  try {
    for await (const text of createInterface({ input: createReadStream(file) })) {
      line += 1;
      if (text !== '') yield entryOf(text, `${file}:${line}`);
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${file} cannot be read: ${messageOf(error)}`, noInput);
  }
}

function entryOf(text: string, where: string): AuditEntry {
  try {
    return AuditEntry.fromJSON(JSON.parse(text));
  } catch {
    throw new UserError(`${where} is no entry of "pandafuzz audit export"`, dataError);
  }
}

const auditPages =
  (
    { identity }: Connection,
    { who = '', since, oldestFirst }: AuditFilter & { oldestFirst: boolean },
    options: CallOptions,
  ): ReadPage<AuditEntry> =>
  async (page) => {
    const request = { ...page, caller: who, since, oldestFirst };
    const answer = await unary(identity, identity.listAuditEntries, request, options);
    return { items: answer.entries, nextPageToken: answer.nextPageToken };
  };

function auditTable(entries: readonly AuditEntry[], now: number, width = terminalWidth()): string {
  if (entries.length === 0) return 'no entries';
  return table(
    [
      { name: 'entry', right: true },
      { name: 'age', right: true },
      { name: 'who', shrinks: 'then' },
      { name: 'from', shrinks: 'then', leaves: 'narrow' },
      { name: 'what', shrinks: 'then' },
      { name: 'outcome', tone: true, shrinks: 'then' },
      { name: 'about', shrinks: 'first' },
      { name: 'request', wide: true },
      { name: 'hash', wide: true },
    ],
    entries.map((entry) => [
      String(entry.sequence),
      ago(entry.time, now),
      whoIn(entry),
      or(entry.address),
      entry.kind === AuditKind.CUT ? 'older entries deleted' : or(entry.method),
      outcomeOf(entry),
      or(
        aboutPairs(entry.about)
          .map(([field, value]) => `${field} ${value}`)
          .join(', '),
      ),
      or(entry.requestId),
      entry.hash,
    ]),
    width,
  );
}

const whoIn = ({ caller, role }: AuditEntry): string =>
  role === '' ? (caller === 'anonymous' ? 'anyone' : caller) : `${caller} (${role})`;

const outcomeOf = ({ kind, outcome, count }: AuditEntry): string => {
  if (kind !== AuditKind.REFUSAL) return 'ok';
  return `${word(outcome)}${count > 1 ? ` ×${count}` : ''}`;
};
