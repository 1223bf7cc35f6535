import { stat } from 'node:fs/promises';

/** Time of a folder's last change, milliseconds; undefined when it is not there. */
export const changeOf = (folder: string): Promise<number | undefined> =>
  stat(folder).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  );
