import { createRequire } from 'node:module';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import { messageOf } from './core/errors.js';
import type { Logger } from './core/log.js';
import { isDirect, throughProxy, webProxy } from './core/proxies.js';

export interface Tracing {
  /**
   * Begins a span of a call that does not come by grpc-js, named as its instrumentation names
   * others. @returns what ends it, with the status of gRPC
   */
  startSpan(path: string, headers: Readonly<Record<string, unknown>>): (code: number) => void;
  stop(): Promise<void>;
}

/**
 * Sends a span for each call to a collector, with OpenTelemetry's instrumentation of
 * grpc-js. Loaded only if an endpoint is configured, so that calls cost nothing without.
 *
 * @param endpoint OTLP over HTTP, e.g. "http://127.0.0.1:4318/v1/traces"
 */
export async function startTracing(options: {
  endpoint: string;
  version: string;
  log: Logger;
}): Promise<Tracing> {
  const [api, core, hooks, sdk, otlp, grpc, resources] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/core'),
    import('@opentelemetry/context-async-hooks'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/instrumentation-grpc'),
    import('@opentelemetry/resources'),
  ]);
  const { endpoint: url, version, log } = options;
  // The exporter's own agent takes no proxy, and Node's own would take one to loopback.
  const proxyEnv = isDirect(new URL(url).hostname, process.env) ? {} : process.env;
  const exporter = new otlp.OTLPTraceExporter({
    url,
    httpAgentOptions: { keepAlive: true, proxyEnv },
  });
  const provider = new sdk.TracerProvider({
    resource: resources.resourceFromAttributes({
      'service.name': 'pandafuzz',
      'service.version': version,
    }),
    spanProcessors: [new sdk.BatchSpanProcessor({ exporter: logged(exporter, new URL(url), log) })],
  });
  api.context.setGlobalContextManager(new hooks.AsyncLocalStorageContextManager().enable());
  api.propagation.setGlobalPropagator(new core.W3CTraceContextPropagator());
  api.trace.setGlobalTracerProvider(provider);
  const instrumentation = new grpc.GrpcInstrumentation();
  // The instrumentation patches modules that are required after it; prototypes are shared with imports.
  createRequire(import.meta.url)('@grpc/grpc-js');
  const tracer = provider.getTracer('pandafuzz', version);
  return {
    startSpan(path, headers) {
      const parent = api.propagation.extract(api.ROOT_CONTEXT, headers);
      const [, service = '', method = ''] = path.split('/');
      const attributes = {
        'rpc.system': 'connect_rpc',
        'rpc.service': service,
        'rpc.method': method,
      };
      const kind = api.SpanKind.SERVER;
      const span = tracer.startSpan(`grpc.${path.slice(1)}`, { kind, attributes }, parent);
      return (code) => {
        if (!span.isRecording()) return;
        span.setAttribute('rpc.grpc.status_code', code);
        if (code !== 0) span.setStatus({ code: api.SpanStatusCode.ERROR });
        span.end();
      };
    },
    async stop() {
      instrumentation.disable();
      await provider.shutdown();
    },
  };
}

/** Logs when spans can no longer be sent, and when they can again. */
function logged(exporter: SpanExporter, url: URL, log: Logger): SpanExporter {
  let isFailing = false;
  return {
    export(spans: ReadableSpan[], done) {
      exporter.export(spans, (result) => {
        const hasFailed = result.error !== undefined;
        if (hasFailed && !isFailing)
          log.warn({ why: describe(result.error, url) }, 'spans not sent');
        if (!hasFailed && isFailing) log.info('spans sent again');
        isFailing = hasFailed;
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
  };
}

function describe(error: unknown, url: URL): string {
  const proxy = webProxy(url, process.env);
  const what = `the collector at ${url.host} did not take them: ${messageOf(error)}`;
  return proxy ? `${what}, ${throughProxy(proxy, url.hostname)}` : what;
}
