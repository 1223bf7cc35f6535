import { createRequire } from 'node:module';

/**
 * Sends a span for each call to a collector, with OpenTelemetry's instrumentation of
 * grpc-js. Loaded only if an endpoint is configured, so that calls cost nothing without.
 *
 * @param endpoint OTLP over HTTP, e.g. "http://127.0.0.1:4318/v1/traces"
 */
export async function startTracing(options: {
  endpoint: string;
  version: string;
}): Promise<{ stop(): Promise<void> }> {
  const [api, core, hooks, sdk, otlp, grpc, resources] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/core'),
    import('@opentelemetry/context-async-hooks'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/instrumentation-grpc'),
    import('@opentelemetry/resources'),
  ]);
  const { endpoint: url, version } = options;
  const provider = new sdk.TracerProvider({
    resource: resources.resourceFromAttributes({
      'service.name': 'pandafuzz',
      'service.version': version,
    }),
    spanProcessors: [new sdk.BatchSpanProcessor({ exporter: new otlp.OTLPTraceExporter({ url }) })],
  });
  api.context.setGlobalContextManager(new hooks.AsyncLocalStorageContextManager().enable());
  api.propagation.setGlobalPropagator(new core.W3CTraceContextPropagator());
  api.trace.setGlobalTracerProvider(provider);
  const instrumentation = new grpc.GrpcInstrumentation();
  // The instrumentation patches modules that are required after it; prototypes are shared with imports.
  createRequire(import.meta.url)('@grpc/grpc-js');
  return {
    async stop() {
      instrumentation.disable();
      await provider.shutdown();
    },
  };
}
