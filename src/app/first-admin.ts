import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { InBackground } from '../core/context.js';
import type { Logger } from '../core/log.js';
import type { Tokens } from '../state/access/tokens.js';

export const firstAdminFile = 'admin.token';

/**
 * Where tokens are needed and no admin has one, makes one and writes it into the data folder,
 * for its owner alone: who reads that folder may do everything anyway.
 */
export async function firstAdmin(
  { directory, tokens }: { directory: string; tokens: Tokens },
  inBackground: InBackground,
  log: Logger,
): Promise<void> {
  if (tokens.hasRole('admin')) return;
  const wish = {
    name: 'first admin',
    role: 'admin',
    pool: '',
    projects: '[]',
    certificate: '',
    botId: null,
    expiresAt: null,
  } as const;
  const { secret, row } = await inBackground('first_admin', (ctx) => tokens.create(ctx, wish));
  const file = join(directory, firstAdminFile);
  try {
    await writeFile(file, `${secret}\n`, { mode: 0o600 });
  } catch (error) {
    await inBackground('first_admin', (ctx) => tokens.revoke(ctx, row.id));
    throw error;
  }
  log.warn({ file }, 'first admin token made');
}
