import { readFile } from 'node:fs/promises';
import type { MasterConfig } from '../config/schema.js';
import { messageOf, UserError } from '../core/errors.js';
import { type SecretKey, secretKeyOf } from '../core/secret-box.js';

/** EX_CONFIG of sysexits.h. */
const badConfiguration = 78;

/**
 * Keys of secrets: the present one first, if there is one.
 *
 * @throws UserError for a file that cannot be read, and for what is no key
 */
export async function readSecretKeys(config: MasterConfig['secrets']): Promise<SecretKey[]> {
  const { key, key_file: file, old_key_files: old } = config;
  if (key !== '' && file !== '') {
    throw new UserError('secrets.key and secrets.key_file: give one of them', badConfiguration);
  }
  if (key === '' && file === '' && old.length > 0) {
    const why = 'secrets.old_key_files needs a present key: set secrets.key_file';
    throw new UserError(why, badConfiguration);
  }
  const present = key === '' ? [] : [keyFrom(key, 'secrets.key')];
  const files = file === '' ? old : [file, ...old];
  return [...present, ...(await Promise.all(files.map(readKey)))];
}

async function readKey(path: string): Promise<SecretKey> {
  const text = await readFile(path, 'utf8').catch((error) => {
    throw new UserError(`the key of secrets cannot be read: ${messageOf(error)}`, badConfiguration);
  });
  return keyFrom(text, path);
}

function keyFrom(text: string, where: string): SecretKey {
  const key = secretKeyOf(text);
  if (key) return key;
  const what = 'must be 64 hex digits (openssl rand -hex 32), or 32 bytes in base64';
  throw new UserError(`the key of secrets in ${where} ${what}`, badConfiguration);
}
