import { describe, test } from '@jest/globals';
import { testServer } from './databases.js';

/** Tests of SQLite's files, locks and backups: left out where the tests run on PostgreSQL. */
export const testOfSqlite = testServer === undefined ? test : test.skip;
export const describeSqlite = testServer === undefined ? describe : describe.skip;
