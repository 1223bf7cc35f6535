import { unary } from '../client/call.js';
import { isNotFound } from '../client/failure.js';
import { UserError } from '../core/errors.js';
import { eventKinds } from '../core/event-kinds.js';
import { NotificationDestination } from '../gen/pandafuzz/v1/system_service.js';
import { ago } from './format.js';
import { complain, type OutputFlags, print } from './output.js';
import { asking, type Flags } from './session.js';
import { table, terminalWidth } from './table.js';

/** `pandafuzz notify …`. */

export function showDestinations(flags: Flags & OutputFlags): Promise<void> {
  return asking(flags, async ({ system }, options) => {
    const { destinations } = await unary(system, system.listNotificationDestinations, {}, options);
    print(flags, {
      json: () => ({ destinations: destinations.map(NotificationDestination.toJSON) }),
      text: () => destinationTable(destinations, Date.now()),
    });
  });
}

function destinationTable(all: readonly NotificationDestination[], now: number): string {
  if (all.length === 0) return 'no destinations: set notifications in master.yaml';
  const rows = all.map((one) => [one.name, one.kind, sentTo(one), stateOf(one, now)]);
  return table(['name', 'kind', 'is sent', 'state'], rows, terminalWidth());
}

/** "everything", or the events; and of which projects. */
function sentTo({ events, projects }: NotificationDestination): string {
  const of = projects.length === 0 ? '' : ` of ${projects.join(', ')}`;
  const isAll = eventKinds.every((kind) => events.includes(kind));
  return `${isAll ? 'everything' : events.join(', ')}${of}`;
}

function stateOf({ failingSince, lastError, pendingSince }: NotificationDestination, now: number) {
  if (failingSince) return `failing since ${ago(failingSince, now)}: ${lastError}`;
  return pendingSince ? `sending what happened ${ago(pendingSince, now)}` : 'well';
}

/** @returns the exit code */
export function testDestination(flags: Flags & OutputFlags, name: string): Promise<number> {
  return asking(flags, async ({ system }, options) => {
    const tested = await unary(system, system.testNotification, { name }, options).catch(
      (error) => {
        if (!isNotFound(error)) throw error;
        throw new UserError(`no destination is called ${name}: "pandafuzz notify list" has all`);
      },
    );
    const { delivered, problem, willRetry } = tested;
    print(flags, {
      json: () => ({ delivered, problem, willRetry }),
      text: () => (delivered ? `${name} has taken the test message` : `${name} has not taken it`),
    });
    if (!delivered) {
      const then = willRetry ? 'an event would be tried again' : 'an event would be lost';
      complain(`${problem}; ${then}`);
    }
    return delivered ? 0 : 1;
  });
}
