/** The place of a call in its caller's trace, from W3C's `traceparent` header. */
export interface TraceParent {
  readonly traceId: string;
  readonly spanId: string;
}

const pattern = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?$/;

/** @returns undefined for a header that is missing or not as the standard has it */
export function parseTraceParent(header: unknown): TraceParent | undefined {
  const [, traceId = '', spanId = ''] = pattern.exec(String(header ?? '')) ?? [];
  if (/^0*$/.test(traceId) || /^0*$/.test(spanId)) return undefined;
  return { traceId, spanId };
}
