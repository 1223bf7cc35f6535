import { pageOperation, writeOperation } from '../../operation.js';
import { one, page, run, type Steps, statement } from '../../statement.js';
import { recordEvent } from '../events/record-event.js';

export interface SecretRow {
  project: string;
  name: string;
  key_id: string;
  /** Encrypted. */
  sealed: string;
  created_at: number;
  set_at: number;
  set_by: string;
}

interface Named {
  project: string;
  name: string;
}

interface Sealed extends Named {
  keyId: string;
  sealed: string;
}

const columns = 'project, name, key_id, sealed, created_at, set_at, set_by';
const put = statement<Sealed & { by: string; now: number }, SecretRow>(`
  INSERT INTO secrets (project, name, key_id, sealed, created_at, set_at, set_by)
  VALUES (@project, @name, @keyId, @sealed, @now, @now, @by)
  ON CONFLICT (project, name) DO UPDATE SET key_id = excluded.key_id, sealed = excluded.sealed,
    set_at = excluded.set_at, set_by = excluded.set_by
  RETURNING ${columns}`);
const reseal = statement<Sealed & { before: string }>(`
  UPDATE secrets SET key_id = @keyId, sealed = @sealed
  WHERE project = @project AND name = @name AND sealed = @before`);
const remove = statement<Named>('DELETE FROM secrets WHERE project = @project AND name = @name');
const after = statement<Named & { limit: number }, SecretRow>(`
  SELECT ${columns} FROM secrets WHERE (project, name) > (@project, @name)
  ORDER BY project, name LIMIT @limit`);
const afterIn = statement<Named & { limit: number }, SecretRow>(`
  SELECT ${columns} FROM secrets WHERE project = @project AND name > @name
  ORDER BY name LIMIT @limit`);

/** Makes a secret or replaces it. */
export const putSecret = writeOperation(
  'put_secret',
  'work',
  function* (input: Sealed & { by: string; now: number }): Steps<SecretRow> {
    const row = (yield* one(put, input)) as SecretRow;
    const { by, project, name, now } = input;
    yield* recordEvent(now, 'secret.set', `${project}/${name}`, { by });
    return row;
  },
);

/** Encrypts a secret by another key, if it is still the same. @returns whether it was */
export const resealSecret = writeOperation(
  'reseal_secret',
  'work',
  function* (input: Sealed & { before: string }): Steps<boolean> {
    return (yield* run(reseal, input)) === 1;
  },
);

/** @returns whether there was one */
export const deleteSecret = writeOperation(
  'delete_secret',
  'work',
  function* (input: Named & { by: string; now: number }): Steps<boolean> {
    const { by, project, name, now } = input;
    if ((yield* run(remove, { project, name })) === 0) return false;
    yield* recordEvent(now, 'secret.deleted', `${project}/${name}`, { by });
    return true;
  },
);

/** The secrets after this one by project and name; `isWithin`: of its project alone. */
export const listSecrets = pageOperation(
  'list_secrets',
  ({ isWithin, ...keys }: Named & { limit: number; isWithin: boolean }) =>
    page(isWithin ? afterIn : after, keys),
);
