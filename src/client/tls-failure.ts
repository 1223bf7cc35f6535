/**
 * What a connection failed of, from the text in which grpc-js passes on the errors of Node and
 * OpenSSL: their codes it leaves out.
 */
const faults: readonly { readonly found: RegExp; readonly words: (address: string) => string }[] = [
  {
    found: /wrong version number|packet length too long|record layer failure/i,
    words: (address) =>
      `the master at ${address} does not speak TLS: leave out --ca (PANDAFUZZ_CA), or set tls.cert at the master`,
  },
  {
    found: /certificate has expired/i,
    words: (address) =>
      `the certificate of the master at ${address} has expired: make a new one ("pandafuzz cert server"), or set this machine's clock`,
  },
  {
    found: /certificate is not yet valid/i,
    words: (address) =>
      `the certificate of the master at ${address} is not valid yet: set this machine's clock, or the master's`,
  },
  {
    found: /does not match certificate's altnames/i,
    words: (address) =>
      `the master at ${address} has a certificate for other names: use a name that it has, or make one with this ("pandafuzz cert server --host NAME")`,
  },
  {
    found:
      /unable to (verify|get)|self[- ]signed certificate|invalid CA|CA signature|certificate signature failure/i,
    words: (address) =>
      `the certificate of the master at ${address} is of another CA than --ca (PANDAFUZZ_CA) has: name the file of the master's CA`,
  },
  {
    found: /alert (unknown ca|bad certificate|certificate (required|expired|unknown|revoked))/i,
    words: (address) =>
      `the master at ${address} does not take this client's certificate: give --cert and --key of a CA in its tls.client_ca`,
  },
  {
    found: /alert (protocol version|handshake failure)|unsupported protocol/i,
    words: (address) => `the master at ${address} has no TLS 1.3, which is needed`,
  },
  {
    // The connection was there, and was closed before HTTP/2: TLS itself answers nothing.
    found: /Last error: Failed to connect|ECONNRESET|socket hang up|before secure TLS connection/,
    words: (address) =>
      `${address} closes the connection at once: a master with TLS needs --ca FILE (PANDAFUZZ_CA), one with tls.client_ca also --cert and --key of a CA that it knows`,
  },
];

/** One line for a person; undefined: it is not about TLS. */
export const describeTlsFailure = (text: string, address: string): string | undefined =>
  faults.find(({ found }) => found.test(text))?.words(address);
