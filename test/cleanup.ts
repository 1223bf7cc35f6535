import { afterAll, afterEach } from '@jest/globals';
import { endAll, endShared } from './endings.js';

/** Of every test file (jest.config.js): what a test has started is ended after it, newest first. */
afterEach(() => endAll());
afterAll(endShared);
