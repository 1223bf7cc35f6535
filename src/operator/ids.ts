import { unary } from '../client/call.js';
import type { Connection } from '../client/connect.js';
import { UserError } from '../core/errors.js';
import { isId } from '../core/ids.js';
import { describeIds } from './describe-ids.js';
import { plain } from './format.js';
import { shortIds } from './short-ids.js';
import type { CallOptions } from './submit.js';

/** What has ids, by the contract's names. */
export type Resource = 'job' | 'bot' | 'crash' | 'crash group' | 'decision';

export interface FoundId {
  readonly id: string;
  readonly resource: Resource;
}

const about: Record<Resource, { one: string; many: string; shownBy: string }> = {
  job: { one: 'job', many: 'jobs', shownBy: 'pandafuzz job list' },
  bot: { one: 'bot', many: 'bots', shownBy: 'pandafuzz bot list' },
  crash: { one: 'crash', many: 'crashes', shownBy: 'pandafuzz crash list --group GROUP' },
  'crash group': { one: 'group', many: 'groups', shownBy: 'pandafuzz crash list' },
  decision: { one: 'decision', many: 'decisions', shownBy: 'pandafuzz crash decisions' },
};

/** FindIds sends no more of each resource. */
const mostFound = 10;

/**
 * The id that a person means: a whole one, or the beginning of the only one that begins so.
 *
 * @throws UserError for what begins no id, or several: it lists them with what they are
 */
export async function findId(
  connection: Connection,
  text: string,
  resource: Resource,
  options: CallOptions,
): Promise<string> {
  const prefix = idPrefix(text, [resource]);
  if (isId(prefix)) return prefix;
  return (await find(connection, { prefix, resources: [resource] }, options)).id;
}

/**
 * The same where a group is meant as well as a crash. A group goes first: it often begins as
 * its own first crash does, and shows that one too.
 */
export function findCrashOrGroup(
  connection: Connection,
  text: string,
  options: CallOptions,
): Promise<FoundId> {
  const resources: Resource[] = ['crash group', 'crash'];
  return find(connection, { prefix: idPrefix(text, resources), resources }, options);
}

/** @throws UserError for what cannot begin an id */
function idPrefix(text: string, resources: readonly Resource[]): string {
  const digits = text.trim().toLowerCase().replace(/…$/, '').replaceAll('-', '');
  if (/^[0-9a-f]{1,32}$/.test(digits)) return withDashes(digits);
  throw new UserError(`${text} does not begin an id: ${whereToLook(resources)}`);
}

/** As a UUID has them: after 8, 12, 16 and 20 digits. */
const withDashes = (digits: string): string =>
  [0, 8, 12, 16, 20]
    .map((from, index, starts) => digits.slice(from, starts[index + 1] ?? 32))
    .filter((part) => part !== '')
    .join('-');

async function find(
  connection: Connection,
  { prefix, resources }: { prefix: string; resources: readonly Resource[] },
  options: CallOptions,
): Promise<FoundId> {
  const { system } = connection;
  const request = { prefix, resources: [...resources] };
  const { found } = await unary(system, system.findIds, request, options);
  for (const resource of resources) {
    const ids = found.filter((one) => one.resource === resource).map(({ id }) => id);
    const [id, second] = ids;
    if (id === undefined) continue;
    if (second === undefined) return { id, resource };
    throw new UserError(await ambiguity(connection, { prefix, resource, ids }, options));
  }
  const which = resources.map((one) => about[one].one).join(' or ');
  const missing = isId(prefix)
    ? `there is no such ${which}`
    : `there is no ${which} whose id begins with ${prefix}`;
  throw new UserError(`${missing}: ${whereToLook(resources)}`);
}

/** One line, and one for each id that it may be. */
async function ambiguity(
  connection: Connection,
  { prefix, resource, ids }: { prefix: string; resource: Resource; ids: readonly string[] },
  options: CallOptions,
): Promise<string> {
  const short = shortIds(ids);
  const texts = await describeIds(connection, resource, ids, options);
  const width = Math.max(...ids.map((id) => short(id).length));
  const lines = ids.map((id, index) =>
    `${short(id).padEnd(width)}  ${texts[index] ?? ''}`.trimEnd(),
  );
  const howMany = `${ids.length} ${about[resource].many}${ids.length < mostFound ? '' : ' or more'}`;
  return [`${prefix} begins the ids of ${howMany}: give more of it`, ...lines.map(plain)].join(
    '\n',
  );
}

const whereToLook = (resources: readonly Resource[]) =>
  `"${about[resources[0] ?? 'job'].shownBy}" shows the ids`;
