import { readFile } from 'node:fs/promises';
import type { OidcConfig } from '../config/oidc.js';
import { messageOf, UserError } from '../core/errors.js';

/** EX_CONFIG of sysexits.h. */
const badConfiguration = 78;

/** The settings with the secret of `client_secret_file`, if there is one. @throws UserError */
export async function withClientSecret(oidc: OidcConfig): Promise<OidcConfig> {
  const { client_secret_file: file } = oidc;
  if (file === '') return oidc;
  const text = await readFile(file, 'utf8').catch((error) => {
    const why = `oidc.client_secret_file cannot be read: ${messageOf(error)}`;
    throw new UserError(why, badConfiguration);
  });
  return { ...oidc, client_secret: text.trim() };
}
