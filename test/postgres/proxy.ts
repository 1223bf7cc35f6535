import { createConnection, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { atEnd, temporaryFolder } from '../endings.js';

/** When a writer's connection is cut at its next COMMIT: before the server has it, or after its answer. */
export type Cut = 'before' | 'after';

const commit = Buffer.from('COMMIT\0');
const writer = Buffer.from('pandafuzz writer');

/** Stands between a store and a server, and cuts the writer's connection at a COMMIT. */
export class CommitCutter {
  /** Of the next COMMIT alone. */
  cut: Cut | undefined;
  readonly folder = temporaryFolder();
  readonly #sockets = new Set<Socket>();

  private constructor(private readonly serverFolder: string) {}

  static async start(serverFolder: string): Promise<CommitCutter> {
    const cutter = new CommitCutter(serverFolder);
    const server = createServer((client) => cutter.#join(client));
    await new Promise<void>((resolve) =>
      server.listen(join(cutter.folder, '.s.PGSQL.5432'), resolve),
    );
    atEnd(() => {
      for (const socket of cutter.#sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    });
    return cutter;
  }

  #join(client: Socket): void {
    const server = createConnection(join(this.serverFolder, '.s.PGSQL.5432'));
    const both = [client, server];
    const cutBoth = () => {
      for (const socket of both) socket.destroy();
    };
    for (const socket of both) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#sockets.delete(socket);
        cutBoth();
      });
    }
    let isWriter = false;
    let isDeaf = false;
    client.on('data', (bytes) => {
      isWriter ||= bytes.includes(writer);
      const cut = isWriter && bytes.includes(commit) ? this.#taken() : undefined;
      if (cut === 'before') return cutBoth();
      isDeaf = cut === 'after';
      server.write(bytes);
    });
    server.on('data', (bytes) => {
      if (isDeaf) cutBoth();
      else client.write(bytes);
    });
  }

  #taken(): Cut | undefined {
    const { cut } = this;
    this.cut = undefined;
    return cut;
  }
}
