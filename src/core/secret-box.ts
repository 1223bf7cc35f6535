import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

/** AES-256-GCM: a key of 32 bytes, a random nonce of 12, a tag of 16. */
const algorithm = 'aes-256-gcm';
const [keyBytes, nonceBytes, tagBytes] = [32, 12, 16];

/** A key, and what names it in rows that it has encrypted. */
export interface SecretKey {
  readonly id: string;
  readonly bytes: Buffer;
}

/** A key of 64 hex digits or 44 characters of base64; undefined: it is neither. */
export function secretKeyOf(text: string): SecretKey | undefined {
  const plain = text.trim();
  const isHex = /^[0-9a-fA-F]{64}$/.test(plain);
  if (!isHex && !/^[A-Za-z0-9+/]{43}=$/.test(plain)) return undefined;
  const bytes = Buffer.from(plain, isHex ? 'hex' : 'base64');
  if (bytes.length !== keyBytes) return undefined;
  const hash = createHash('sha256').update('pandafuzz secrets').update(bytes);
  return { id: hash.digest('hex').slice(0, 16), bytes };
}

/** Encrypts. `about` is authenticated with it: a row that is moved elsewhere does not open. */
export function seal(key: SecretKey, about: string, value: string): string {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, key.bytes, nonce);
  cipher.setAAD(Buffer.from(about));
  const sealed = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64');
}

/** @returns undefined where key, `about` or bytes are not those of `seal` */
export function unseal(key: SecretKey, about: string, text: string): string | undefined {
  const bytes = Buffer.from(text, 'base64');
  const [nonce, tag] = [
    bytes.subarray(0, nonceBytes),
    bytes.subarray(nonceBytes, nonceBytes + tagBytes),
  ];
  if (tag.length !== tagBytes) return undefined;
  const decipher = createDecipheriv(algorithm, key.bytes, nonce, { authTagLength: tagBytes });
  decipher.setAAD(Buffer.from(about));
  decipher.setAuthTag(tag);
  try {
    const value = decipher.update(bytes.subarray(nonceBytes + tagBytes));
    return Buffer.concat([value, decipher.final()]).toString('utf8');
  } catch {
    return undefined;
  }
}
