/** How memory was accessed, where a report shows it. */
export interface Access {
  readonly access?: 'read' | 'write';
  readonly accessSizeBytes?: number;
  readonly address?: 'near-null' | 'wild';
}

/** Lines behind a headline that may describe the access. */
const near = 12;
/** An access below is through a null pointer with an offset, as far as anyone can tell. */
const nearNullBytes = 64 * 1024;

const sized = /\b(read|write|load|store) of size (\d{1,12})/i;
const bySignal = /(?:caused by a|Attempt to) (READ|WRITE) (?:memory access|from|to)/i;
const undefinedAccess = /runtime error: (load|store|member access|member call|reference binding)/;
const faultAddress =
  /(?:unknown address|fault addr|FAULT ADDRESS:|NULL pointer dereference at|dereference of address|KERN_[A-Z_]{1,32} at|Address) (0x[0-9a-f]{1,16}|\(nil\))/i;
const zeroPage = /address points to the zero page|null pointer|NULL pointer dereference/;
const highValue = /dereference of a high value address|non-canonical address/;

/** Kinds whose address was not mapped. */
const unmapped = /^(?:SEGV|BUS|access-violation|invalid-read|invalid-write|null-pointer)$/;

/** @param at line of the headline */
export function readAccess(lines: readonly string[], at: number, kind: string): Access {
  const text = lines.slice(at, at + near).join('\n');
  const size = sized.exec(text);
  const word = (
    size?.[1] ??
    bySignal.exec(text)?.[1] ??
    undefinedAccess.exec(text)?.[1] ??
    ''
  ).toLowerCase();
  const access = word === '' ? undefined : /^(?:write|store)$/.test(word) ? 'write' : 'read';
  const address = unmapped.test(kind) ? addressClass(text) : undefined;
  return {
    ...(access && { access }),
    ...(size && { accessSizeBytes: Number(size[2]) }),
    ...(address && { address }),
  };
}

function addressClass(text: string): 'near-null' | 'wild' | undefined {
  const found = faultAddress.exec(text)?.[1]?.toLowerCase();
  if (zeroPage.test(text) || found === '(nil)') return 'near-null';
  if (highValue.test(text)) return 'wild';
  if (found === undefined) return undefined;
  return Number.parseInt(found.slice(2), 16) < nearNullBytes ? 'near-null' : 'wild';
}
