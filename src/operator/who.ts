import { hostname, userInfo } from 'node:os';

const longest = 128;

/** Who decides, unless `--by` names another: "ann@workstation". */
export function whoDecides(by: string | undefined): string {
  return (by ?? `${userName()}@${hostname()}`).slice(0, longest);
}

/** A user without an entry in the system's list has a number alone. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'unknown');
  }
}
