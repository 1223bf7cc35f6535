import type { RequestContext } from '../src/core/context.js';
import type { Operation } from '../src/store/operation.js';
import type { Store } from '../src/store/store.js';

/** A store, with a count of what is under way: whatever was set off is over when nothing is. */
export class SettlingStore {
  #underWay = 0;
  readonly store: Store;

  constructor(store: Store) {
    const watched =
      <I, O>(ask: (ctx: RequestContext, of: Operation<I, O>, input: I) => O) =>
      async (ctx: RequestContext, of: Operation<I, O>, input: I) => {
        this.#underWay++;
        try {
          return await ask(ctx, of, input);
        } finally {
          this.#underWay--;
        }
      };
    this.store = new Proxy(store, {
      get: (real, property) => {
        const value = Reflect.get(real, property, real);
        if (typeof value !== 'function') return value;
        const bound = value.bind(real);
        return property === 'run' || property === 'runEach' ? watched(bound) : bound;
      },
    });
  }

  async settled(): Promise<void> {
    for (let quiet = 0; quiet < 4; quiet = this.#underWay === 0 ? quiet + 1 : 0) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
