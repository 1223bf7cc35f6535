import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { checkConformance } from '../../src/conformance/conformance.js';
import { rules } from '../../src/conformance/rules.js';

const testBot = fileURLToPath(new URL('./test-bot.js', import.meta.url));
