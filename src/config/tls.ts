import { z } from 'zod';

const file = z.string({ error: 'must be a file' }).default('');

/** The files of the master's TLS; without a certificate there is none. */
export const tls = z
  .strictObject({ cert: file, key: file, client_ca: file, client_crl: file })
  .refine(({ cert, key }) => key === '' || cert !== '', {
    path: ['cert'],
    error: 'must be a file where tls.key is one',
  })
  .refine(({ cert, key }) => cert === '' || key !== '', {
    path: ['key'],
    error: 'must be a file where tls.cert is one',
  })
  .refine(({ cert, client_ca: clientCa }) => clientCa === '' || cert !== '', {
    path: ['client_ca'],
    error: 'needs tls.cert and tls.key: certificates of clients are part of TLS',
  })
  .refine(({ client_ca: clientCa, client_crl: clientCrl }) => clientCrl === '' || clientCa !== '', {
    path: ['client_crl'],
    error: 'needs tls.client_ca: the list is of that CA',
  });
