/**
 * Whether an Accept-Encoding takes a coding.
 *
 * @param accepted as the header has it: "gzip, br;q=0.5" takes br; "br;q=0" does not
 */
export const accepts = (accepted: string, coding: string): boolean =>
  accepted.split(',').some((one) => {
    const [name, ...parameters] = one.split(';').map((part) => part.trim().toLowerCase());
    return name === coding && !parameters.some((part) => /^q=0(\.0*)?$/.test(part));
  });
