import { describe, expect, test } from '@jest/globals';
import Database from 'better-sqlite3';
import { DiskFullError, NotFoundError } from '../../../src/core/errors.js';
import {
  fromWire,
  isRetryableError,
  LockConflict,
  SqliteFault,
  toWire,
} from '../../../src/store/sqlite/faults.js';

/** The result codes of sqlite.org/rescode.html, primary and extended. */
const codes = `
  ABORT ABORT_ROLLBACK AUTH AUTH_USER BUSY BUSY_RECOVERY BUSY_SNAPSHOT BUSY_TIMEOUT CANTOPEN
  CANTOPEN_CONVPATH CANTOPEN_DIRTYWAL CANTOPEN_FULLPATH CANTOPEN_ISDIR CANTOPEN_NOTEMPDIR
  CANTOPEN_SYMLINK CONSTRAINT CONSTRAINT_CHECK CONSTRAINT_COMMITHOOK CONSTRAINT_DATATYPE
  CONSTRAINT_FOREIGNKEY CONSTRAINT_FUNCTION CONSTRAINT_NOTNULL CONSTRAINT_PINNED
  CONSTRAINT_PRIMARYKEY CONSTRAINT_ROWID CONSTRAINT_TRIGGER CONSTRAINT_UNIQUE CONSTRAINT_VTAB
  CORRUPT CORRUPT_INDEX CORRUPT_SEQUENCE CORRUPT_VTAB DONE EMPTY ERROR ERROR_MISSING_COLLSEQ
  ERROR_RETRY ERROR_SNAPSHOT FORMAT FULL INTERNAL INTERRUPT IOERR IOERR_ACCESS IOERR_AUTH
  IOERR_BEGIN_ATOMIC IOERR_BLOCKED IOERR_CHECKRESERVEDLOCK IOERR_CLOSE IOERR_COMMIT_ATOMIC
  IOERR_CONVPATH IOERR_CORRUPTFS IOERR_DATA IOERR_DELETE IOERR_DELETE_NOENT IOERR_DIR_CLOSE
  IOERR_DIR_FSYNC IOERR_FSTAT IOERR_FSYNC IOERR_GETTEMPPATH IOERR_IN_PAGE IOERR_LOCK IOERR_MMAP
  IOERR_NOMEM IOERR_RDLOCK IOERR_READ IOERR_ROLLBACK_ATOMIC IOERR_SEEK IOERR_SHMLOCK IOERR_SHMMAP
  IOERR_SHMOPEN IOERR_SHMSIZE IOERR_SHORT_READ IOERR_TRUNCATE IOERR_UNLOCK IOERR_VNODE IOERR_WRITE
  LOCKED LOCKED_SHAREDCACHE LOCKED_VTAB MISMATCH MISUSE NOLFS NOMEM NOTADB NOTFOUND NOTICE
  NOTICE_RECOVER_ROLLBACK NOTICE_RECOVER_WAL OK_LOAD_PERMANENTLY PERM PROTOCOL RANGE READONLY
  READONLY_CANTINIT READONLY_CANTLOCK READONLY_DBMOVED READONLY_DIRECTORY READONLY_RECOVERY
  READONLY_ROLLBACK ROW SCHEMA TOOBIG WARNING WARNING_AUTOINDEX`
  .trim()
  .split(/\s+/)
  .map((name) => `SQLITE_${name}`);

/** Somebody else holds a lock, nothing was done, and trying again may do. */
const retryable = [
  'SQLITE_BUSY',
  'SQLITE_BUSY_RECOVERY',
  'SQLITE_BUSY_SNAPSHOT',
  'SQLITE_BUSY_TIMEOUT',
  'SQLITE_LOCKED',
  'SQLITE_LOCKED_SHAREDCACHE',
  'SQLITE_LOCKED_VTAB',
  'SQLITE_PROTOCOL',
];

/** As it arrives on the main thread, thrown by better-sqlite3 on its own. */
const travelled = (code: string, message = 'some words') =>
  fromWire(structuredClone(toWire(new Database.SqliteError(message, code))));

describe('an error of SQLite', () => {
  test.each(codes)('%s is retried only if it is a lock conflict', (code) => {
    const error = travelled(code);
    expect(isRetryableError(error)).toBe(retryable.includes(code));
    expect(error instanceof LockConflict).toBe(retryable.includes(code));
    expect(error instanceof DiskFullError).toBe(code === 'SQLITE_FULL');
    if (code !== 'SQLITE_FULL') expect(error).toMatchObject({ code });
  });

  test('is known by its code, whatever it says', () => {
    expect(isRetryableError(travelled('SQLITE_ERROR', 'database is locked'))).toBe(false);
    expect(isRetryableError(travelled('SQLITE_BUSY', 'no such table'))).toBe(true);
    expect(isRetryableError(new Error('SQLITE_BUSY: database is locked'))).toBe(false);
  });
});

describe('an error of ours', () => {
  test('arrives as what it was thrown as', () => {
    const error = fromWire(
      structuredClone(toWire(new NotFoundError({ resource: 'job', id: 'x' }))),
    );
    expect(error).toBeInstanceOf(NotFoundError);
    expect((error as NotFoundError).fields).toEqual({ resource: 'job', id: 'x' });
    expect(error).not.toBeInstanceOf(SqliteFault);
  });

  test('that nobody expected keeps its words and its stack', () => {
    const thrown = new TypeError('undefined is not a function');
    const error = fromWire(structuredClone(toWire(thrown)));
    expect(error).toMatchObject({ message: thrown.message, stack: thrown.stack });
    expect(isRetryableError(error)).toBe(false);
  });
});
