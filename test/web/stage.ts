import type { Browser, Page } from 'playwright-core';
import type { Trouble } from './browser.js';
import type { Scene } from './scene.js';

/** What all tests of the page share, as browsers and masters cost more than tests: see pages.test.ts. */
export interface Stage {
  readonly at: Scene;
  readonly browser: Browser;
  readonly tab: Page;
  /** What went wrong in the tab. */
  readonly trouble: Trouble;
}
