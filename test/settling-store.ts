import type { RequestContext } from '../src/core/context.js';
import type { Operation } from '../src/store/operation.js';
import type { Store } from '../src/store/store.js';

/** A store, with a count of what is under way: whatever was set off is over when nothing is. */
export class SettlingStore {
  #underWay = 0;
  readonly store: Store;

  constructor(store: Store) {
    const run = async <I, O>(ctx: RequestContext, operation: Operation<I, O>, input: I) => {
      this.#underWay++;
      try {
        return await store.run(ctx, operation, input);
      } finally {
        this.#underWay--;
      }
    };
    this.store = new Proxy(store, {
      get: (real, property) => {
        if (property === 'run') return run;
        const value = Reflect.get(real, property, real);
        return typeof value === 'function' ? value.bind(real) : value;
      },
    });
  }

  async settled(): Promise<void> {
    for (let quiet = 0; quiet < 3; quiet = this.#underWay === 0 ? quiet + 1 : 0) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
