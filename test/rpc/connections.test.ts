import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import { atEnd, runMasterFor } from '../harness.js';
import { registerBot } from '../steps.js';

const idleSoon = { PANDAFUZZ_TIMEOUTS_IDLE_CONNECTION: '1s' };

function session(address: string) {
  const client = connectHttp2(`http://${address}`);
  atEnd(() => client.destroy());
  client.on('error', () => {});
  return client;
}

const headersOf = (path: string) => ({
  ':method': 'POST',
  ':path': `/pandafuzz.v1.${path}`,
  'content-type': 'application/grpc',
  te: 'trailers',
});

describe('a connection without a call', () => {
  test('is closed, whether it speaks HTTP/2 or not; one with a call stays', async () => {
    const { master, address } = await runMasterFor(idleSoon);
    const silent = connect(master.grpc.port, '127.0.0.1');
    atEnd(() => silent.destroy());
    const idle = session(address);
    const busy = session(address);
    let isBusyClosed = false;
    busy.once('close', () => {
      isBusyClosed = true;
    });
    const call = busy.request(headersOf('BotService/Heartbeat'));
    call.on('error', () => {});
    silent.resume();
    await Promise.all([once(silent, 'close'), once(idle, 'close')]);
    expect(isBusyClosed).toBe(false);
    call.close();
    await once(busy, 'close');
  });

  test('is opened anew by a client that has a call again', async () => {
    const { connection, master } = await runMasterFor(idleSoon);
    const bot = await registerBot(connection);
    const silent = connect(master.grpc.port, '127.0.0.1');
    silent.resume();
    await once(silent, 'close'); // by then the other has been without a call for as long
    const answer = await unary(connection.bots, connection.bots.getBot, { botId: bot.id });
    expect(answer.bot?.id).toBe(bot.id);
  });
});
