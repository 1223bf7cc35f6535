import { readFileSync, writeFileSync } from 'node:fs';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSecureContext } from 'node:tls';
import { unary } from '../../src/client/call.js';
import { connect } from '../../src/client/connect.js';
import { RegisterBotRequest } from '../../src/gen/pandafuzz/v1/bot_service.js';
import { CreateTokenRequest, Role } from '../../src/gen/pandafuzz/v1/identity_service.js';
import { makeCa, makeClient, makeServer } from '../../src/operator/certificates/make.js';
import { type Bench, count, type Measured, type MeasuredOf, median, ofRounds } from '../figure.js';
import { alternate, eachInFlight, until } from '../measure.js';
import { engine, Stage } from '../stage.js';
import { storm } from './comebacks.js';
import { Crew } from './crew.js';
import { VirtualBot } from './virtual-bot.js';

/** More than elsewhere: a difference of two figures is held to a few microseconds. */
const rounds = 9;
const callsInFlight = 32;
const bots = 50;
const host = '127.0.0.1';

/** What it costs that callers are known by tokens, for each call and beat. */
export async function benchAccess(bench: Bench): Promise<MeasuredOf<'access'>> {
  const token = (directory: string) => readFileSync(join(directory, 'admin.token'), 'utf8').trim();
  const known = { ...bench, connecting: (at: string) => ({ token: () => token(at) }) };
  return Stage.with(bench, {}, (open) =>
    Stage.with(known, { PANDAFUZZ_AUTH_MODE: 'on' }, async (closed) => ({
      callCost: await callCost(open, closed),
      beatCost: await beatCost(open, closed),
    })),
  );
}

/** CPU microseconds of a master for each thing that `work` does, of which it returns the number. */
async function costOf({ master }: Stage, work: () => Promise<number>): Promise<number> {
  const before = master.cpuSeconds();
  const done = await work();
  return ((master.cpuSeconds() - before) * 1e6) / done;
}

async function differenceOf(
  { open, closed }: Readonly<Record<'open' | 'closed', () => Promise<number>>>,
  what: string,
): Promise<Measured> {
  await closed();
  await open();
  const { a, b } = await alternate(rounds, closed, open);
  const words = `${median(a).toFixed(1)} us with tokens, ${median(b).toFixed(1)} us without; ${what}`;
  return ofRounds(
    a.map((cost, round) => cost - (b[round] ?? Number.NaN)),
    words,
  );
}

async function callCost(open: Stage, closed: Stage): Promise<Measured> {
  const calls = Math.max(Math.round(20_000 * open.bench.scale), 1000);
  open.bench.say(`${count(calls)} calls, ${rounds} times, with tokens and without`);
  const of = async (stage: Stage) => {
    const { id: jobId } = await stage.createJob();
    const { jobs } = stage.connection;
    const all = Array.from({ length: calls });
    const ask = () => unary(jobs, jobs.getJob, { jobId });
    return () =>
      costOf(stage, async () => (await eachInFlight(all, callsInFlight, ask)).outputs.length);
  };
  const sides = { open: await of(open), closed: await of(closed) };
  return differenceOf(sides, `GetJob, ${callsInFlight} under way on a connection`);
}

/** Each bot has a token of its own; it beats as fast as it is answered. */
async function beatCost(open: Stage, closed: Stage): Promise<Measured> {
  open.bench.say(`beats of ${bots} bots, ${rounds} times, with tokens and without`);
  const forMs = Math.max(2000 * open.bench.scale, 400);
  const of = async (stage: Stage) => {
    const squad = await beaters(stage);
    return () =>
      costOf(stage, async () => {
        const before = squad.beats;
        squad.isOver = false;
        for (const bot of squad.bots) bot.beat();
        await sleep(forMs);
        squad.isOver = true;
        return squad.beats - before;
      });
  };
  const sides = { open: await of(open), closed: await of(closed) };
  return differenceOf(sides, `${bots} streams, a beat of each under way`);
}

async function beaters(stage: Stage) {
  const squad = { bots: [] as VirtualBot[], beats: 0, isOver: true };
  let welcomed = 0;
  for (let i = 0; i < bots; i++) {
    const { id, headers } = await knownBot(stage, `beater-${i}`);
    const bot = new VirtualBot(id, 1, {
      welcomed: () => welcomed++,
      answered(one, { length }) {
        squad.beats += length;
        if (!squad.isOver) one.beat();
      },
    });
    squad.bots.push(bot);
    const session: ClientHttp2Session = connectHttp2(`http://${stage.master.address}`);
    session.on('error', () => {}); // the master stops
    bot.connect(session, headers);
  }
  await until('all are welcomed', () => welcomed === bots);
  return squad;
}

async function knownBot(
  { bench, master, connection }: Stage,
  name: string,
): Promise<{ id: string; headers: Record<string, string> }> {
  const about = RegisterBotRequest.create({ name, engines: [engine], slots: 1, version: '1' });
  const { bots: own, identity } = connection;
  if (!bench.connecting) {
    return { id: (await unary(own, own.registerBot, about)).bot?.id ?? '', headers: {} };
  }
  const wish = CreateTokenRequest.fromPartial({ name, role: Role.BOT });
  const { secret } = await unary(identity, identity.createToken, wish);
  const as = connect(master.address, { token: () => secret });
  const { bot } = await unary(as.bots, as.bots.registerBot, about);
  as.close();
  return { id: bot?.id ?? '', headers: { authorization: `Bearer ${secret}` } };
}

/** A storm in which each connection has a handshake, and both sides show a certificate. */
export async function benchMtls(bench: Bench): Promise<MeasuredOf<'mtls'>> {
  const folder = bench.folder();
  const validity = { from: new Date(), days: 1 };
  const ca = await makeCa('bench', validity);
  const [server, client] = await Promise.all([
    makeServer(ca, [host], validity),
    makeClient(ca, 'bots', validity),
  ]);
  const files = { CERT: server.cert, KEY: server.key, CLIENT_CA: ca.cert };
  const settings: Record<string, string> = {};
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(folder, name), text);
    settings[`PANDAFUZZ_TLS_${name}`] = join(folder, name);
  }
  const own = { cert: Buffer.from(client.cert), key: Buffer.from(client.key) };
  const secured: Bench = {
    ...bench,
    connecting: () => ({ tls: () => ({ ca: Buffer.from(ca.cert), own }) }),
    secureContext: createSecureContext({ ...client, ca: ca.cert }),
  };
  const calm = { PANDAFUZZ_LEASES_HEARTBEAT_INTERVAL: '30s', PANDAFUZZ_LEASES_TTL: '90s' };
  return Stage.with(secured, { ...settings, ...calm }, async (stage) => {
    const botIds = await stage.registerBots(bench.sizes.bots);
    bench.say(`${count(botIds.length)} bots with certificates take a job each`);
    await stage.createJobs(botIds.length);
    const crew = new Crew(stage, botIds);
    try {
      await crew.takeJobs();
      bench.say('all are cut off at once');
      return await storm(crew);
    } finally {
      crew.leave();
    }
  });
}
