import { describe, expect, test } from '@jest/globals';
import { grpcProxy, isDirect, webProxy } from '../../src/core/proxies.js';

const proxies = { http_proxy: 'http://ann:secret@proxy.test:3128' };

describe('a proxy', () => {
  test.each([
    'localhost',
    'LOCALHOST',
    'bugs.localhost',
    '127.0.0.1',
    '127.8.9.10',
    '::1',
    '[::1]',
    '0:0:0:0:0:0:0:1',
    '::ffff:127.0.0.1',
    '[::ffff:7f00:1]',
    '0.0.0.0',
    '::',
  ])('is not taken to %s, which is this machine', (host) => {
    expect(grpcProxy(host, proxies)).toBeUndefined();
  });

  test.each(['example.org', '10.0.0.1', '128.0.0.1', '[2001:db8::1]', 'localhost.example.org'])(
    'is taken to %s, and named without its password',
    (host) => {
      const address = 'http://proxy.test:3128';
      expect(grpcProxy(host, proxies)).toEqual({ variable: 'http_proxy', address });
    },
  );

  test.each([
    ['fuzz.example.org', 'example.org', true],
    ['fuzz.example.org', '.example.org', true],
    ['fuzz.example.org', 'other.test, *.example.org ', true],
    ['fuzz.example.org', 'FUZZ.example.org', true],
    ['fuzz.example.org', '*', true],
    ['10.1.2.3', '10.0.0.0/8', true],
    ['[2001:db8::1]', '2001:db8::/32', true],
    ['[2001:db8::1]', '2001:db8::1', true],
    ['fuzz.example.org', '', false],
    ['fuzz.example.org', 'other.test,,', false],
    ['11.1.2.3', '10.0.0.0/8', false],
    ['10.1.2.3', '10.0.0.0/99', false],
    ['2001:db8::1', '10.0.0.0/8', false],
  ])('is passed over for %s by no_proxy=%s: %s', (host, list, isPassedOver) => {
    expect(isDirect(host, { no_proxy: list })).toBe(isPassedOver);
    expect(isDirect(host, { no_grpc_proxy: list, no_proxy: '' })).toBe(isPassedOver);
  });

  test('is the first that grpc-js looks for, and by its protocol for a URL', () => {
    const all = { ...proxies, https_proxy: 'http://tls.test', grpc_proxy: 'http://grpc.test' };
    expect(grpcProxy('example.org', all)?.variable).toBe('grpc_proxy');
    expect(webProxy(new URL('https://example.org'), all)?.variable).toBe('https_proxy');
    expect(webProxy(new URL('http://example.org'), all)?.variable).toBe('http_proxy');
    expect(webProxy(new URL('http://[::1]:4318'), all)).toBeUndefined();
    expect(webProxy(new URL('http://example.org'), { HTTP_PROXY: 'x' })?.address).toBe(
      'it is no URL',
    );
  });
});
