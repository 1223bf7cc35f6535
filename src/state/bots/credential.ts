import type { RequestContext } from '../../core/context.js';
import { PermissionError } from '../../core/errors.js';
import type { RegisterBotRequest } from '../../gen/pandafuzz/v1/bot_service.js';

/** The label by which jobs require bots of a pool. */
const poolLabel = 'pool';

/** The token of a bot that registers, for the store. */
export interface Credential {
  readonly tokenId: string;
  /** The bot that it is; null: the one that registers with it now. */
  readonly botId: string | null;
}

/** Undefined: the caller has no token of a bot, and a bot is who it says. */
export function credentialOf({ principal }: RequestContext): Credential | undefined {
  const { role, tokenId, botId = null } = principal;
  return role === 'bot' && tokenId !== undefined ? { tokenId, botId } : undefined;
}

/**
 * The labels of a bot, with the pool of its token: no bot chooses that itself.
 *
 * @throws PermissionError if it says that it is in another one
 */
export function labelsIn(
  { principal }: RequestContext,
  { labels }: RegisterBotRequest,
): RegisterBotRequest['labels'] {
  const { role, pool = '' } = principal;
  if (role !== 'bot') return labels;
  const told = Object.hasOwn(labels, poolLabel) ? labels[poolLabel] : pool;
  if (told === pool) return pool === '' ? labels : { ...labels, [poolLabel]: pool };
  const why =
    'the label "pool" comes from the token of the bot, and that is of another pool: leave the label out';
  throw new PermissionError({ reason: 'OTHER_POOL', why });
}
