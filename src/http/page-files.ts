import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { accepts } from '../core/accepted.js';

/** As `make build` makes it from web/. */
const built = fileURLToPath(new URL('../../web/', import.meta.url));

/** First parts of the addresses of the page: each is answered with its index. */
const routes = new Set([
  ...['', 'campaigns', 'targets', 'groups', 'bots', 'jobs', 'corpora', 'coverage', 'events'],
  ...['system', 'find', 'settings', 'signed-in'],
]);

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml; charset=utf-8',
};

const policy = [
  "default-src 'none'",
  ...["script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'"],
  ...["base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"],
  ...["require-trusted-types-for 'script'", "trusted-types 'none'"],
].join('; ');

const headersOfAll = {
  'content-security-policy': policy,
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  vary: 'accept-encoding',
};

interface File {
  readonly type: string;
  readonly etag: string;
  /** Its name has a hash of its content. */
  readonly isHashed: boolean;
  readonly plain: Buffer;
  /** Bodies by content encoding, as far as the build made them. */
  readonly encoded: ReadonlyMap<string, Buffer>;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: Buffer | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/** The files of the page, in memory: under 1 MiB. They hold nothing secret; its calls do. */
export class PageFiles {
  private constructor(private readonly files: ReadonlyMap<string, File>) {}

  /** Without files where the page was not built. */
  static async read(folder = built): Promise<PageFiles> {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
    const paths = entries
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name));
    const originals = paths.filter((path) => types[extname(path)] !== undefined);
    const read = originals.map(async (path) => {
      const url = `/${path.slice(folder.length).replaceAll('\\', '/')}`;
      return [url, await readOne(path, paths)] as const;
    });
    return new PageFiles(new Map(await Promise.all(read)));
  }

  /** Undefined: there is no such file, and no such place in the page. */
  answer(path: string, headers: IncomingHttpHeaders): Answer | undefined {
    // Neither "//name" nor "http://name/": these are of somebody else.
    const isOurs = /^\/(?!\/)/.test(path);
    const isPlace = isOurs && routes.has(path.split('/', 2)[1] ?? '');
    const file = isPlace ? this.files.get('/index.html') : this.files.get(path);
    if (file) return answerWith(file, headers);
    if (!isPlace) return undefined;
    const body = Buffer.from('the page is not built: run "make build"\n');
    return { status: 503, type: 'text/plain', body, headers: headersOfAll };
  }
}

async function readOne(path: string, all: readonly string[]): Promise<File> {
  const plain = await readFile(path);
  const encoded = new Map<string, Buffer>();
  for (const [coding, ending] of [
    ['br', '.br'],
    ['gzip', '.gz'],
  ] as const) {
    if (all.includes(path + ending)) encoded.set(coding, await readFile(path + ending));
  }
  const etag = `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`;
  const isHashed = /\/assets\/[^/]+-[\w-]{8}\.\w+$/.test(path);
  return { type: types[extname(path)] ?? 'text/plain', etag, isHashed, plain, encoded };
}

function answerWith(file: File, asked: IncomingHttpHeaders): Answer {
  const { type, etag, isHashed, plain, encoded } = file;
  const cache = isHashed ? 'public, max-age=31536000, immutable' : 'no-cache';
  const headers = { ...headersOfAll, etag, 'cache-control': cache };
  if (asked['if-none-match'] === etag) return { status: 304, type, body: undefined, headers };
  for (const [coding, body] of encoded) {
    if (!accepts(String(asked['accept-encoding'] ?? ''), coding)) continue;
    return { status: 200, type, body, headers: { ...headers, 'content-encoding': coding } };
  }
  return { status: 200, type, body: plain, headers };
}
