import { z } from 'zod';

const durationUnits = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const sizeUnits = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 } as const;

function quantity<Unit extends string>(text: string, units: Record<Unit, number>) {
  const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]+)$/.exec(text.trim());
  const factor = match && units[match[2] as Unit];
  return factor ? Math.round(Number(match[1]) * factor) : undefined;
}

/** "250ms", "10s", "5m", "24h" or "30d", read as milliseconds within `bounds` (both inclusive). */
export function duration(bounds: { min: string; max: string }) {
  const [min, max] = [bounds.min, bounds.max].map((text) => quantity(text, durationUnits) ?? 0);
  return bounded(durationUnits, [min as number, max as number], 'a duration such as "10s"', bounds);
}

/** "512B", "64KiB", "1GiB", read as bytes within `bounds` (both inclusive). */
export function size(bounds: { min: string; max: string }) {
  const [min, max] = [bounds.min, bounds.max].map((text) => quantity(text, sizeUnits) ?? 0);
  return bounded(sizeUnits, [min as number, max as number], 'a size such as "64MiB"', bounds);
}

function bounded(
  units: Record<string, number>,
  [min, max]: [number, number],
  what: string,
  bounds: { min: string; max: string },
) {
  const expected = `${what}, from ${bounds.min} to ${bounds.max}, in ${Object.keys(units).join(', ')}`;
  return z.string({ error: `must be ${expected}` }).transform((text, ctx) => {
    const value = quantity(text, units);
    if (value !== undefined && value >= min && value <= max) return value;
    ctx.addIssue({ code: 'custom', message: `must be ${expected}` });
    return z.NEVER;
  });
}

/** "host:port" as a host (IPv6 without brackets) and a port; port 0 lets the system choose. */
export const address = z
  .string({ error: 'must be an address such as "127.0.0.1:50051"' })
  .transform((text, ctx) => {
    const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]/]+)):(\d{1,5})$/.exec(text);
    const port = Number(match?.[3]);
    if (match && port <= 65_535) return { host: (match[1] ?? match[2]) as string, port };
    ctx.addIssue({
      code: 'custom',
      message: 'must be an address such as "127.0.0.1:50051" or "[::1]:50051"',
    });
    return z.NEVER;
  });

export type Address = z.output<typeof address>;

export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
