import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import type { AnswerOf, Services } from '../api/services.js';
import { word } from '../format/states.js';
import { Text } from '../text/text.js';

/** Who the caller is and what it may not do, as the master says; undefined until it has answered. */
export const caller = signal<AnswerOf<'IdentityService', 'GetCaller'> | undefined>(undefined);

type MethodName = {
  [Name in keyof Services]: `${Name}/${keyof Services[Name] & string}`;
}[keyof Services];

/** What needs a right is there for those alone who have it; others read what it takes. */
export function Rights({
  to,
  quiet = false,
  children,
}: {
  to: MethodName;
  /** Nothing stands in its place: the page has said it elsewhere. */
  quiet?: boolean;
  children: ComponentChildren;
}) {
  const who = caller.value;
  if (who === undefined) return null;
  const denied = (who.denied ?? []).find(({ method }) => method === `pandafuzz.v1.${to}`);
  if (!denied) return <>{children}</>;
  if (quiet) return null;
  const roles = (denied.roles ?? []).map((role) => word(role, 'ROLE_')).join(' or ');
  return (
    <p class="muted">
      Changes here take a token of role {roles}; yours, <Text of={who.token?.name} most={64} />, is
      of role {word(who.token?.role, 'ROLE_')}.
    </p>
  );
}
