import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { codeOf } from '../core/errors.js';

/** Settings of webhooks. No problem names a secret, nor an address, which may hold one too. */

const eventKinds = ['crash_group.new', 'crash_group.reopened', 'crash_group.fixed'] as const;

const leastSecretLength = 16;
const shortSecret = `must have at least ${leastSecretLength} characters`;
/** Each has a loop of its own, and rows of its own in the metrics. */
const mostWebhooks = 100;

const nameRule = 'must be 1 to 64 letters, digits, dots, dashes or underscores';
const projectRule = 'must be the name of a project';
const eventsRule = `must be some of: ${eventKinds.join(', ')}`;

const webhook = z
  .strictObject({
    name: z
      .string({ error: nameRule })
      .regex(/^[A-Za-z0-9._-]{1,64}$/, nameRule)
      .optional(),
    url: z.url({ protocol: /^https?$/, error: 'must be a URL that begins with http or https' }),
    secret: z
      .string({ error: 'must be a text (in quotes)' })
      .min(leastSecretLength, shortSecret)
      .optional(),
    secret_file: z.string({ error: 'must be a file' }).min(1, 'must be a file').optional(),
    events: z
      .array(z.enum(eventKinds, { error: eventsRule }), { error: eventsRule })
      .min(1, eventsRule)
      .default([...eventKinds]),
    project: z
      .string({ error: projectRule })
      .regex(/^[A-Za-z0-9._-]{1,64}$/, projectRule)
      .optional(),
  })
  .transform(({ name, secret, secret_file: file, ...rest }, ctx) => {
    if ((secret === undefined) === (file === undefined)) {
      ctx.addIssue({ code: 'custom', message: 'must have either a secret or a secret_file' });
      return z.NEVER;
    }
    const known = secret ?? readSecret(file as string, ctx);
    if (known === undefined) return z.NEVER;
    return { ...rest, name: name ?? new URL(rest.url).host, secret: known };
  });

/** Without the end of its line. Only problems that name no content are added. */
function readSecret(
  file: string,
  ctx: { addIssue: (issue: { code: 'custom'; path: string[]; message: string }) => void },
): string | undefined {
  const problem = (message: string) => {
    ctx.addIssue({ code: 'custom', path: ['secret_file'], message });
    return undefined;
  };
  try {
    const secret = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    return secret.length < leastSecretLength ? problem(`its content ${shortSecret}`) : secret;
  } catch (error) {
    return problem(`cannot be read (${codeOf(error) ?? 'no file'})`);
  }
}

export const webhooks = z
  .array(webhook, { error: 'must be a list of webhooks' })
  .max(mostWebhooks, `must be at most ${mostWebhooks}`)
  .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, {
    error: 'must have different names: set a name where two have the same host',
  })
  .default([]);

/** Its secret is that of the file, where there is one. */
export type WebhookConfig = z.output<typeof webhook>;
