import { readFile } from 'node:fs/promises';
import { unary } from '../client/call.js';
import { messageOf, UserError } from '../core/errors.js';
import { Secret } from '../gen/pandafuzz/v1/secret_service.js';
import { eachOf } from './each.js';
import { ago } from './format.js';
import { type ListFlags, showListing } from './listing.js';
import { print } from './output.js';
import { asking, type Flags } from './session.js';
import { secretSorts } from './sorts.js';
import { table, terminalWidth } from './table.js';

/** `pandafuzz secret …`. */

interface NamedFlags extends Flags {
  readonly project?: string;
}

/** EX_NOINPUT of sysexits.h. */
const noInput = 66;
/** Beyond what any secret has. */
const mostBytes = 64 * 1024;

export async function setSecret(
  flags: NamedFlags & { readonly file?: string },
  name: string,
): Promise<void> {
  const value = withoutNewline(await readValue(flags.file));
  await asking(flags, async ({ secrets }, options) => {
    const request = { project: flags.project ?? '', name, value };
    const { secret } = await unary(secrets, secrets.setSecret, request, options);
    print(flags, {
      json: () => ({ secret: secret && Secret.toJSON(secret) }),
      text: () => `secret ${name} of project ${secret?.project} is set: --env KEY=secret:${name}`,
    });
  });
}

export function showSecrets(flags: NamedFlags & ListFlags): Promise<void> {
  const { project = '' } = flags;
  return asking(flags, async ({ secrets }, options) => {
    await showListing(flags, {
      items: 'secrets',
      first: 'first',
      read: async (page) => {
        const answer = await unary(secrets, secrets.listSecrets, { ...page, project }, options);
        return { items: answer.secrets, nextPageToken: answer.nextPageToken };
      },
      sorts: secretSorts,
      toJson: Secret.toJSON,
      text: (items, width) => secretTable(items, Date.now(), width),
    });
  });
}

export function deleteSecrets(flags: NamedFlags, names: readonly string[]): Promise<number> {
  const { project = '' } = flags;
  return asking(flags, async ({ secrets, address }, options) => {
    const deleted: string[] = [];
    const refused = await eachOf(names, address, async (name) => {
      await unary(secrets, secrets.deleteSecret, { project, name }, options);
      deleted.push(name);
    });
    print(flags, {
      json: () => ({ deleted }),
      text: () =>
        deleted.length === 0 ? 'no secret was deleted' : `deleted: ${deleted.join(', ')}`,
    });
    return refused > 0 ? 1 : 0;
  });
}

/** @throws UserError where the file cannot be read, and where standard input is a terminal */
async function readValue(file: string | undefined): Promise<Buffer> {
  if (file !== undefined) {
    return readFile(file).catch((error) => {
      throw new UserError(`the secret cannot be read: ${messageOf(error)}`, noInput);
    });
  }
  if (process.stdin.isTTY) {
    throw new UserError('give the value on standard input, or by --file', noInput);
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > mostBytes) break; // the master says how much there may be
  }
  return Buffer.concat(chunks);
}

/** Editors and echo end a file with one. */
const withoutNewline = (value: Buffer): Buffer => {
  if (value.at(-1) !== 10) return value;
  return value.subarray(0, value.at(-2) === 13 ? -2 : -1);
};

function secretTable(secrets: readonly Secret[], now: number, width = terminalWidth()): string {
  if (secrets.length === 0) return 'no secrets: make one with "pandafuzz secret set"';
  return table(
    [
      { name: 'project', shrinks: 'then' },
      { name: 'name', shrinks: 'first' },
      { name: 'readable', tone: true },
      { name: 'set', right: true },
      { name: 'by', shrinks: 'then' },
    ],
    secrets.map((one) => [
      one.project,
      one.name,
      one.readable ? 'yes' : 'no key opens it',
      ago(one.setAt, now),
      one.setBy,
    ]),
    width,
  );
}
