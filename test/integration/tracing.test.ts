import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Metadata } from '@grpc/grpc-js';
import { expect, test } from '@jest/globals';
import { atEnd } from '../harness.js';
import { Process, place, reach } from '../processes.js';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const parentSpanId = '00f067aa0ba902b7';

interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly parentSpanId?: string;
}

/** Takes what an OTLP exporter posts. */
async function collector() {
  const spans: Span[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { resourceSpans } = JSON.parse(Buffer.concat(chunks).toString());
    for (const { scopeSpans } of resourceSpans) {
      for (const scope of scopeSpans) spans.push(...scope.spans);
    }
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(() => new Promise((resolve) => server.close(resolve)));
  const { port } = server.address() as AddressInfo;
  return { endpoint: `http://127.0.0.1:${port}/v1/traces`, spans };
}

test('a caller’s trace is in the log, and goes on to the collector', async () => {
  const { endpoint, spans } = await collector();
  const { address, environment } = await place();
  const master = new Process(['master'], {
    ...environment,
    PANDAFUZZ_TRACING_OTLP_ENDPOINT: endpoint,
    PANDAFUZZ_LOG_LEVEL: 'debug',
    http_proxy: 'http://127.0.0.1:9', // not for loopback
  });
  const { system } = await reach(address);
  const metadata = new Metadata();
  metadata.set('traceparent', `00-${traceId}-${parentSpanId}-01`);
  const copy = system.backupDatabase({}, metadata);
  for await (const _ of copy); // one that says something in the log
  const byConnect = 'pandafuzz.v1.JobService/ListJobs';
  await fetch(`http://${environment.PANDAFUZZ_HTTP_ADDRESS}/${byConnect}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      traceparent: `00-${traceId}-${parentSpanId}-01`,
    },
    body: '{}',
  });
  master.end('SIGTERM');
  expect(await master.exited).toEqual({ code: 0, signal: null });

  const said = master.said
    .split('\n')
    .filter((line) => line.includes('backup started'))
    .map((line) => JSON.parse(line));
  expect(said).toMatchObject([
    { traceId, spanId: parentSpanId, requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) },
  ]);
  for (const path of ['pandafuzz.v1.SystemService/BackupDatabase', byConnect]) {
    const span = { name: `grpc.${path}`, traceId, parentSpanId };
    expect(spans).toContainEqual(expect.objectContaining(span));
  }
});

test('spans that cannot be sent are a line of the log, with the proxy', async () => {
  const { address, environment } = await place();
  const master = new Process(['master'], {
    ...environment,
    PANDAFUZZ_TRACING_OTLP_ENDPOINT: 'http://collector.test:4318/v1/traces',
    http_proxy: 'http://127.0.0.1:9',
  });
  const { system } = await reach(address);
  for await (const _ of system.backupDatabase({}));
  await master.says(/spans not sent/);
  expect(master.said).toMatch(/collector\.test:4318 did not take them: .* the proxy of http_proxy/);
});
