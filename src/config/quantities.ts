/** Reads a word that somebody wrote. */
export interface WordReader<Value> {
  /** What it must be, for a sentence: "It must be …". */
  readonly expected: string;
  /** @returns undefined when it is not that */
  read(text: string): Value | undefined;
}

/** Both inclusive, such as "1s" and "24h". */
export interface Bounds {
  readonly min: string;
  readonly max: string;
}

const durationUnits = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const sizeUnits = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 } as const;

/** "250ms", "10s", "5m", "24h" or "30d", read as milliseconds. */
export const durationWithin = (bounds: Bounds): WordReader<number> =>
  quantityWithin(durationUnits, 'a duration such as "10s"', bounds);

/** "512B", "64KiB", "1GiB", read as bytes. */
export const sizeWithin = (bounds: Bounds): WordReader<number> =>
  quantityWithin(sizeUnits, 'a size such as "64MiB"', bounds);

function quantityWithin<Unit extends string>(
  units: Record<Unit, number>,
  what: string,
  { min, max }: Bounds,
): WordReader<number> {
  const [least, most] = [quantity(min, units) ?? 0, quantity(max, units) ?? 0];
  return {
    expected: `${what}, from ${min} to ${max}, in ${Object.keys(units).join(', ')}`,
    read(text) {
      const value = quantity(text, units);
      return value !== undefined && value >= least && value <= most ? value : undefined;
    },
  };
}

function quantity<Unit extends string>(text: string, units: Record<Unit, number>) {
  const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]+)$/.exec(text.trim());
  const factor = match && units[match[2] as Unit];
  return factor ? Math.round(Number(match[1]) * factor) : undefined;
}

export interface Address {
  /** A name, or an IP address without brackets. */
  readonly host: string;
  readonly port: number;
}

/** "host:port"; port 0 lets the system choose. */
export const addressWord: WordReader<Address> = {
  expected: 'an address such as "127.0.0.1:50051" or "[::1]:50051"',
  read(text) {
    const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]/]+)):(\d{1,5})$/.exec(text);
    const port = Number(match?.[3]);
    if (!match || port > 65_535) return undefined;
    return { host: (match[1] ?? match[2]) as string, port };
  },
};

/** Of masters: one address, or several with commas between them. */
export const addressesWord: WordReader<readonly Address[]> = {
  expected: 'an address such as "127.0.0.1:50051", or several: "a:50051,b:50051"',
  read(text) {
    const found = text.split(',').map((one) => addressWord.read(one.trim()));
    const isWhole = found.every((one) => one !== undefined) && found.length <= mostAddresses;
    return isWhole ? (found as Address[]) : undefined;
  },
};

const mostAddresses = 64;

export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
