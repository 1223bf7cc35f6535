/** A browser in which a person signs in at the provider, as far as that needs one: cookies and forms. */
export class Person {
  readonly #cookies = new Map<string, string>();

  constructor(private readonly name: string) {}

  /** Goes to the provider and does what it asks for. @returns the address that it sends the browser to */
  async signInAt(authorizationUrl: string): Promise<string> {
    const provider = new URL(authorizationUrl).origin;
    let response = await this.#get(authorizationUrl);
    for (let step = 0; step < 20; step++) {
      const to = response.headers.get('location');
      if (to !== null) {
        const url = new URL(to, response.url);
        if (url.origin !== provider) return url.href;
        response = await this.#get(url.href);
        continue;
      }
      const page = await response.text();
      const action = /<form[^>]* action="([^"]+)"/.exec(page)?.[1];
      if (action === undefined) throw new Error(`the provider shows ${page.slice(0, 400)}`);
      const fields: Record<string, string> = /name="prompt" value="login"/.test(page)
        ? { prompt: 'login', login: this.name, password: 'any' }
        : { prompt: 'consent' };
      const body = new URLSearchParams(fields);
      response = await this.#ask(new URL(action, response.url).href, { method: 'POST', body });
    }
    throw new Error('the provider asks on and on');
  }

  #get(url: string): Promise<Response> {
    return this.#ask(url, {});
  }

  async #ask(url: string, init: RequestInit): Promise<Response> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { ...init, redirect: 'manual', headers: { cookie } });
    for (const one of response.headers.getSetCookie()) {
      const [name = '', value = ''] = (one.split(';', 1)[0] ?? '').split(/=(.*)/s, 2);
      this.#cookies.set(name, value);
    }
    return response;
  }
}
