import { once } from 'node:events';
import { connect } from 'node:net';
import { ListJobsRequest } from '../../../src/gen/pandafuzz/v1/job_service.js';
import { framed, RawClient } from '../../wire/raw-client.js';
import { greeting } from './open-connections.js';

const listJobs = '/pandafuzz.v1.JobService/ListJobs';
const page = ListJobsRequest.encode({ pageSize: 1000, pageToken: '', state: 0 }).finish();

/** Readers of large pages whose windows are closed: the answers wait in the master. */
export function closedWindows(address: string, clients: number, callsEach: number): number {
  for (let client = 0; client < clients; client++) {
    const raw = new RawClient(address, { initialWindowSize: 0 });
    for (let call = 0; call < callsEach; call++) {
      const open = raw.open(listJobs);
      open.send(page);
      open.end();
    }
  }
  return clients * callsEach;
}

/** Calls whose request never ends. */
export function unfinishedCalls(address: string, clients: number, callsEach: number): number {
  for (let client = 0; client < clients; client++) {
    const raw = new RawClient(address);
    for (let call = 0; call < callsEach; call++) {
      raw
        .open('/pandafuzz.v1.JobService/CreateJob')
        .stream.write(framed(Buffer.alloc(500)).subarray(0, 300));
    }
  }
  return clients * callsEach;
}

/** Calls that are reset as soon as they are open. */
export function rapidResets(address: string, calls: number): number {
  const raw = new RawClient(address);
  for (let call = 0; call < calls; call++) raw.open(listJobs).stream.close(8);
  return calls;
}

/** Connections that greet and go, all at once. */
export async function connectionStorm(address: string, connections: number): Promise<number> {
  const [host = '', port] = address.split(':');
  const all = Array.from({ length: connections }, async () => {
    const socket = connect(Number(port), host);
    socket.on('error', () => {});
    await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => {});
    socket.write(greeting);
    socket.destroy();
  });
  await Promise.all(all);
  return connections;
}

/** Pages as large as they get, read as fast as they come. */
export async function largePages(address: string, calls: number): Promise<number> {
  const raw = new RawClient(address);
  const answers = await Promise.all(
    Array.from({ length: calls }, () => raw.call(listJobs, [page])),
  );
  return answers.length;
}
