import { randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
// The library below needs it, and before it.
import 'reflect-metadata';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
  X509Crl,
  X509CrlGenerator,
} from '@peculiar/x509';

/**
 * A small CA: keys of P-256, which every TLS has, and certificates that say as little as they
 * need. Whoever has the CA's key is every master and client to those who trust it.
 */
export interface Made {
  /** PEM. */
  readonly cert: string;
  /** PKCS #8 in PEM, without a passphrase. */
  readonly key: string;
}

export interface Validity {
  readonly from: Date;
  readonly days: number;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const dayMs = 86_400_000;
/** Clocks of a fleet differ. */
const earlierMs = 5 * 60_000;

/** @param name who it is, for people */
export async function makeCa(name: string, validity: Validity): Promise<Made> {
  const keys = await newKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    ...common(validity),
    name: [{ CN: [name] }],
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return written(certificate, keys);
}

/** @param hosts names and IP addresses by which clients reach the server */
export const makeServer = (ca: Made, hosts: readonly string[], validity: Validity): Promise<Made> =>
  makeLeaf(ca, { name: hosts[0] ?? '', validity, usage: ExtendedKeyUsage.serverAuth }, [
    new SubjectAlternativeNameExtension(
      hosts.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })),
    ),
  ]);

export const makeClient = (ca: Made, name: string, validity: Validity): Promise<Made> =>
  makeLeaf(ca, { name, validity, usage: ExtendedKeyUsage.clientAuth }, [
    new SubjectAlternativeNameExtension([{ type: 'dns', value: name }]),
  ]);

/**
 * A list of revoked certificates, in place of `before`, with one more in it. It is valid as long
 * as the CA.
 */
export async function revoke(ca: Made, cert: string, before?: string): Promise<string> {
  const issuer = new X509Certificate(ca.cert);
  const { serialNumber } = new X509Certificate(cert);
  const earlier = before === undefined ? [] : new X509Crl(derOf(before)).entries;
  const now = new Date();
  const kept = earlier.filter((entry) => entry.serialNumber !== serialNumber);
  const crl = await X509CrlGenerator.create({
    issuer: issuer.subjectName,
    thisUpdate: new Date(now.getTime() - earlierMs),
    nextUpdate: issuer.notAfter,
    entries: [
      ...kept.map((entry) => ({
        serialNumber: entry.serialNumber,
        revocationDate: entry.revocationDate,
      })),
      { serialNumber, revocationDate: now },
    ],
    signingAlgorithm: algorithm,
    signingKey: await signingKey(ca),
  });
  return pemOf('X509 CRL', Buffer.from(crl.rawData));
}

async function makeLeaf(
  ca: Made,
  { name, validity, usage }: { name: string; validity: Validity; usage: ExtendedKeyUsage },
  names: readonly Extension[],
): Promise<Made> {
  const issuer = new X509Certificate(ca.cert);
  const keys = await newKeys();
  const certificate = await X509CertificateGenerator.create({
    ...common(validity),
    subject: [{ CN: [name.slice(0, 64)] }],
    issuer: issuer.subjectName,
    publicKey: keys.publicKey,
    signingKey: await signingKey(ca),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([usage]),
      ...names,
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  return written(certificate, keys);
}

const common = ({ from, days }: Validity) => ({
  serialNumber: serial(),
  notBefore: new Date(from.getTime() - earlierMs),
  notAfter: new Date(from.getTime() + days * dayMs),
  signingAlgorithm: algorithm,
});

/** 127 random bits: positive, as the standard wants it. */
function serial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}

const newKeys = () => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);

function signingKey({ key }: Made): Promise<webcrypto.CryptoKey> {
  return webcrypto.subtle.importKey('pkcs8', derOf(key), algorithm, false, ['sign']);
}

const derOf = (pem: string): Buffer<ArrayBuffer> =>
  Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');

async function written(
  certificate: X509Certificate,
  { privateKey }: webcrypto.CryptoKeyPair,
): Promise<Made> {
  const bytes = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', privateKey));
  return { cert: `${certificate.toString('pem')}\n`, key: pemOf('PRIVATE KEY', bytes) };
}

function pemOf(what: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${what}-----`, ...lines, `-----END ${what}-----`, ''].join('\n');
}
