import type { EmailConfig } from '../../config/emails.js';
import type { ChatKind, WebhookConfig } from '../../config/webhooks.js';
import type { Clock } from '../../core/clock.js';
import type { Signal } from '../../core/signal.js';
import { discordBody } from './bodies/discord.js';
import { slackBody } from './bodies/slack.js';
import { teamsBody } from './bodies/teams.js';
import { type Card, cardOf } from './card.js';
import type { Delivery } from './delivery.js';
import { sendMail } from './mail.js';
import { headersOf, jsonBody, plainHeaders } from './message.js';
import { post } from './post.js';
import { type Verdict, verdictOf } from './verdict.js';

/** Where notices go. */
export type Destination = WebhookConfig | EmailConfig;

const chats: Readonly<Record<ChatKind, (card: Card) => object>> = {
  slack: slackBody,
  discord: discordBody,
  teams: teamsBody,
};

/**
 * Tries a delivery once.
 *
 * @throws TimeoutError; the signal's reason; Node's or nodemailer's error when there was no answer
 */
export async function send(
  destination: Destination,
  delivery: Delivery,
  within: { clock: Clock; timeoutMs: number; signal: Signal; version: string },
): Promise<Verdict> {
  if (destination.kind === 'email') return sendMail(destination, delivery, within);
  const { clock, version } = within;
  const url = new URL(destination.url);
  const answer = await post(
    { url, ...requestOf(destination, delivery, { clock, version }) },
    within,
  );
  return verdictOf(answer, clock.now());
}

function requestOf(
  webhook: WebhookConfig,
  delivery: Delivery,
  { clock, version }: { clock: Clock; version: string },
): { headers: Record<string, string>; body: string } {
  if (webhook.kind !== 'json') {
    const body = JSON.stringify(chats[webhook.kind](cardOf(delivery)));
    return { headers: plainHeaders(version), body };
  }
  const body = jsonBody(delivery);
  const { id, event } = delivery;
  const signing = { secret: webhook.secret, now: clock.now(), version };
  return { headers: headersOf({ id, event, body }, signing), body };
}
