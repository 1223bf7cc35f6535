import { AlreadyExistsError, PermissionError } from '../../../core/errors.js';
import { writeOperation } from '../../operation.js';
import { type BotRow, botColumns } from '../../rows.js';
import { forUpdate } from '../../sql.js';
import { one, run, type Steps, statement } from '../../statement.js';
import { expectWithin, type Quota } from '../../within-quota.js';
import { recordEvent } from '../events/record-event.js';

interface BotDescription {
  id: string;
  name: string;
  slots: number;
  memoryMib: number;
  diskMib: number;
  version: string;
  now: number;
  /** JSON array of objects. */
  engineDetails: string;
}

interface RegisterBot extends BotDescription {
  engines: readonly string[];
  labels: Readonly<Record<string, string>>;
  /** Absent: the bot is who its name says. */
  identity?: string | undefined;
  /** The name that the bot asked for, if `name` is another. */
  wantedName?: string | undefined;
  /** The bot whose name this one may take: it is gone. */
  goneBotId?: string | undefined;
  /** As pandafuzz.v1.Isolation; 0 or nothing: not stated. */
  isolation?: number;
  isolationGaps?: readonly string[];
  runsAsRoot?: boolean;
  /** Absent: there may be any number of bots. */
  quota?: Quota;
  /** The token of the bot, and the bot that it is, if it has registered before. */
  credential?: { readonly tokenId: string; readonly botId: string | null };
}

type Row = BotDescription & {
  engines: string;
  labels: string;
  identity: string | null;
  wantedName: string;
  isolation: number;
  isolationGaps: string;
  runsAsRoot: 0 | 1;
};

const byIdentity = statement<{ identity: string }, BotRow>(`
  SELECT ${botColumns} FROM bots
  WHERE identity = @identity AND identity IS NOT NULL AND forgotten_at IS NULL ${forUpdate()}`);
const byName = statement<{ name: string }, BotRow>(`
  SELECT ${botColumns} FROM bots WHERE name = @name AND forgotten_at IS NULL ${forUpdate()}`);
const insert = statement<Row, BotRow>(`
  INSERT INTO bots (id, name, engines, slots, labels, memory_mib, disk_mib, version,
    registered_at, last_seen_at, identity, wanted_name, engine_details, isolation, isolation_gaps,
    runs_as_root)
  VALUES (@id, @name, @engines, @slots, @labels, @memoryMib, @diskMib, @version, @now, @now,
    @identity, @wantedName, @engineDetails, @isolation, @isolationGaps,
    @runsAsRoot)
  RETURNING ${botColumns}`);
const update = statement<Row, BotRow>(`
  UPDATE bots SET name = @name, engines = @engines, slots = @slots, labels = @labels,
    memory_mib = @memoryMib, disk_mib = @diskMib, version = @version, last_seen_at = @now,
    identity = @identity, wanted_name = @wantedName, engine_details = @engineDetails,
    isolation = @isolation, isolation_gaps = @isolationGaps,
    runs_as_root = @runsAsRoot
  WHERE id = @id
  RETURNING ${botColumns}`);
const byId = statement<{ id: string }, BotRow>(`
  SELECT ${botColumns} FROM bots WHERE id = @id AND forgotten_at IS NULL ${forUpdate()}`);
const otherToken = statement<{ botId: string; tokenId: string; now: number }, unknown>(`
  SELECT 1 FROM tokens WHERE bot_id = @botId AND id <> @tokenId AND revoked_at IS NULL
    AND (expires_at IS NULL OR expires_at > @now) LIMIT 1`);
const bind = statement<{ botId: string; tokenId: string }>(
  "UPDATE tokens SET bot_id = @botId WHERE id = @tokenId AND role = 'bot'",
);
const forget = statement<{ id: string; now: number }>(
  'UPDATE bots SET forgotten_at = @now WHERE id = @id AND forgotten_at IS NULL',
);

/**
 * Adds a bot, or updates the one that has its identity; without an identity, the one that
 * has its name. The id of a bot never changes. A bot that got another name than it asked for
 * keeps that while it asks for the same. With a credential, the bot is who that says.
 *
 * @throws AlreadyExistsError with the id of the bot that has the name
 * @throws PermissionError for the identity of a bot with another credential
 */
export const registerBot = writeOperation(
  'register_bot',
  'work',
  function* (input: RegisterBot): Steps<BotRow> {
    const { identity, now } = input;
    const own = yield* ownRow(input);
    const namesake = identity === undefined ? undefined : yield* one(byIdentity, { identity });
    if (own && namesake && namesake.id !== own.id) throw otherBot();
    const known = own ?? namesake;
    const wanted = input.wantedName ?? input.name;
    const name = known && (known.wanted_name || known.name) === wanted ? known.name : input.name;
    const holder = yield* one(byName, { name });
    const isItself = holder && (known ? holder.id === known.id : sameNamesake(holder, identity));
    if (holder && !isItself && holder.id !== input.goneBotId) throw taken(holder.id);
    // A bot that takes another name leaves the row of the bot that had it.
    if (holder && known && !isItself) yield* run(forget, { id: holder.id, now });
    const current = known ?? holder;
    if (current && !own) yield* expectFree(current.id, input);
    const row: Row = {
      ...input,
      name,
      id: current?.id ?? input.id,
      identity: identity ?? own?.identity ?? null,
      wantedName: name === wanted ? '' : wanted,
      engines: JSON.stringify(input.engines),
      labels: JSON.stringify(input.labels),
      isolation: input.isolation ?? 0,
      isolationGaps: JSON.stringify(input.isolationGaps ?? []),
      runsAsRoot: input.runsAsRoot ? 1 : 0,
    };
    const stored = (yield* one(current ? update : insert, row)) as BotRow;
    if (!current && input.quota) yield* expectWithin('bots', input.quota);
    const tokenId = input.credential?.tokenId;
    if (tokenId !== undefined) yield* run(bind, { botId: stored.id, tokenId });
    yield* recordEvent(now, 'bot.registered', stored.id, { version: stored.version });
    return stored;
  },
);

/** The bot of the credential; undefined: it has none yet, or it is forgotten. */
function* ownRow({ credential }: RegisterBot): Steps<BotRow | undefined> {
  if (!credential?.botId) return undefined;
  return yield* one(byId, { id: credential.botId });
}

/** A credential that is no bot yet becomes one that has none. @throws PermissionError */
function* expectFree(botId: string, { credential, now }: RegisterBot): Steps<void> {
  if (!credential) return;
  const { tokenId } = credential;
  if (yield* one(otherToken, { botId, tokenId, now })) throw otherBot();
}

const otherBot = () =>
  new PermissionError({
    reason: 'OTHER_BOT',
    why: 'the bot of this name or identity has a token of its own: make one for it with --bot, or begin with an empty work folder',
  });

/** Bots without an identity are one if they have one name. */
const sameNamesake = (holder: BotRow, identity: string | undefined) =>
  identity === undefined && holder.identity === null;

const taken = (id: string) =>
  new AlreadyExistsError({ resource: 'bot', id, why: 'another bot has this name' });
