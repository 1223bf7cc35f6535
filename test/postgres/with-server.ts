import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { PostgresServer } from './server.js';

/**
 * `node with-server.js COMMAND…`: runs it beside a PostgreSQL server of its own, whose URL it
 * has in TEST_POSTGRES. Tests of the store then run on it.
 */
const [command, ...args] = process.argv.slice(2);
const server = await PostgresServer.start();
try {
  const child = spawn(command as string, args, {
    stdio: 'inherit',
    env: { ...process.env, TEST_POSTGRES: server.adminUrl },
  });
  const pass = (signal: NodeJS.Signals) => child.kill(signal);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, pass);
  const [code] = (await once(child, 'exit')) as [number | null];
  process.exitCode = code ?? 1;
} finally {
  await server.remove();
}
