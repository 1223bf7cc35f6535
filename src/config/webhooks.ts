import { z } from 'zod';
import {
  common,
  givenValue,
  mostDestinations,
  type Problems,
  placesGiven,
  placesOf,
  projectsOf,
  type Wanted,
} from './destinations.js';

/** Settings of webhooks: destinations that are posted to. */

/** `json` is our own message, signed; the others are those of chats. */
const webhookKinds = ['json', 'slack', 'discord', 'teams'] as const;

const leastSecretLength = 16;
const shortSecret = `must have at least ${leastSecretLength} characters`;
const urlRule = 'must be a URL that begins with http or https';
const isUrl = z.url({ protocol: /^https?$/ });

const webhook = z
  .strictObject({
    ...common,
    kind: z
      .enum(webhookKinds, { error: `must be one of: ${webhookKinds.join(', ')}` })
      .default('json'),
    url: z.url({ protocol: /^https?$/, error: urlRule }).optional(),
    ...placesOf('url'),
    secret: z
      .string({ error: 'must be a text (in quotes)' })
      .min(leastSecretLength, shortSecret)
      .optional(),
    ...placesOf('secret'),
  })
  .transform((given, ctx) => {
    const url = urlOf(given, ctx);
    const { kind, events } = given;
    const secret = kind === 'json' ? secretOf(given, ctx) : noSecret(given, ctx);
    if (url === undefined || secret === undefined) return z.NEVER;
    const name = given.name ?? new URL(url).host;
    const wanted = { name, events, projects: projectsOf(given) };
    return kind === 'json' ? { ...wanted, kind, url, secret } : { ...wanted, kind, url };
  });

type Given = Readonly<Record<string, unknown>>;

function urlOf(given: Given, ctx: Problems): string | undefined {
  if (placesGiven('url', given) !== 1) {
    ctx.addIssue({ code: 'custom', message: 'must have one of url, url_file and url_env' });
    return undefined;
  }
  const url = givenValue('url', given, ctx)?.trim();
  if (url === undefined || isUrl.safeParse(url).success) return url;
  const path = [given['url_file'] === undefined ? 'url_env' : 'url_file'];
  ctx.addIssue({ code: 'custom', path, message: `its content ${urlRule}` });
  return undefined;
}

/** Of the signatures. */
function secretOf(given: Given, ctx: Problems): string | undefined {
  if (placesGiven('secret', given) !== 1) {
    const message = 'must have either a secret or a secret_file (or secret_env)';
    ctx.addIssue({ code: 'custom', message });
    return undefined;
  }
  const secret = givenValue('secret', given, ctx);
  if (secret === undefined || secret.length >= leastSecretLength) return secret;
  const path = [given['secret_file'] === undefined ? 'secret_env' : 'secret_file'];
  ctx.addIssue({ code: 'custom', path, message: `its content ${shortSecret}` });
  return undefined;
}

/** Chats check no signatures: their URL is the secret. */
function noSecret(given: Given, ctx: Problems): string | undefined {
  if (placesGiven('secret', given) === 0) return '';
  const message = `has no secret where kind is ${given['kind']}: its URL is one`;
  ctx.addIssue({ code: 'custom', path: ['secret'], message });
  return undefined;
}

export const webhooks = z
  .array(webhook, { error: 'must be a list of webhooks' })
  .max(mostDestinations, `must be at most ${mostDestinations}`)
  .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, {
    error: 'must have different names: set a name where two have the same host',
  })
  .default([]);

export type ChatKind = Exclude<(typeof webhookKinds)[number], 'json'>;

/** Its URL and its secret are those of the file or the variable, where there is one. */
export type WebhookConfig = Wanted & { readonly url: string } & (
    | { readonly kind: 'json'; readonly secret: string }
    | { readonly kind: ChatKind }
  );
