/** Another build on the server: the page goes on with its own files until it is asked, and then everything is new. */
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { BrowserContext, Page } from 'playwright-core';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually, logInAt, openHouse, orSoon, settled } from './house.js';

const DIST = fileURLToPath(new URL('../dist/', import.meta.url));
const TYPES: Record<string, string> = {
  js: 'text/javascript',
  css: 'text/css',
  html: 'text/html',
  woff2: 'font/woff2',
};

/** The files as of the second build: the same, under names of which none is like before. */
function rebuilt(): Map<string, Buffer> {
  const names = readdirSync(DIST, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(?:js|css|html|woff2)$/.test(name),
  );
  const renamed = new Map(
    names.flatMap((name) => {
      const [, start, hash, end] = /^assets\/(.*-)([\w-]{8})(\.\w+)$/.exec(name) ?? [];
      return hash ? [[`${start}${hash}${end}`, `${start}second00${end}`] as const] : [];
    }),
  );
  return new Map(
    names.map((name) => {
      let bytes = readFileSync(DIST + name);
      if (!name.endsWith('.woff2')) {
        let text = bytes.toString();
        for (const [before, after] of renamed) text = text.replaceAll(before, after);
        if (name === 'sw.js') text = text.replace(/build:(["'`])\w+\1/, 'build:"second"');
        bytes = Buffer.from(text);
      }
      const [folder, file = ''] = name.startsWith('assets/') ? ['/assets/', name.slice(7)] : ['/', name];
      return [folder + (renamed.get(file) ?? file), bytes];
    }),
  );
}

/** What stands in front of the server, and has its files of the first or of the second build. */
class Front {
  second = false;
  /** The page is still of the first build. */
  half = false;
  readonly #files = rebuilt();
  readonly #server: Server;

  constructor(behind: string) {
    const { hostname, port } = new URL(behind);
    this.#server = createServer((asked, answer) => {
      const path = asked.url ?? '/';
      const isPage = path === '/' || /^\/(?:r|settings)(?:\/|$)/.test(path);
      const file = this.#files.get(isPage ? '/index.html' : path);
      const to = request({ hostname, port, path, method: asked.method, headers: asked.headers }, (from) => {
        const headers = { ...from.headers };
        if (this.second && file && !(isPage && this.half)) {
          from.resume();
          delete headers['content-encoding'];
          delete headers['content-length'];
          headers['content-type'] = TYPES[isPage ? 'html' : (path.split('.').at(-1) ?? '')];
          answer.writeHead(200, headers).end(file);
          return;
        }
        // Files of the first build are gone.
        const gone = this.second && path.startsWith('/assets/');
        answer.writeHead(gone ? 404 : (from.statusCode ?? 502), headers);
        from.pipe(answer);
      });
      to.on('error', () => answer.destroy());
      asked.pipe(to);
    });
    this.#server.on('upgrade', (asked, near, head) => {
      const far = connect(Number(port), hostname, () => {
        const lines = Object.entries(asked.headers).map(([name, value]) => `${name}: ${value}`);
        far.write(`${asked.method} ${asked.url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
        far.write(head);
        far.pipe(near);
        near.pipe(far);
      });
      far.on('error', () => near.destroy());
      near.on('error', () => far.destroy());
      near.on('close', () => far.destroy());
    });
  }

  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

const house = openHouse({}, { shell: true });
let front: Front;
let url: string;
let context: BrowserContext;
beforeAll(async () => {
  await house.join('ada', 'Ada Lovelace');
});
beforeEach(async () => {
  front = new Front(house.url);
  url = await front.open();
  house.knows(url);
  context = await house.device();
});
afterEach(async () => {
  await house.leave();
  await front.close();
});

async function enter(): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${url}/`);
  await logInAt(page, 'ada');
  await settled(page);
  return page;
}

async function open(): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${url}/`);
  await page.locator('[data-home]').waitFor();
  return page;
}

const look = (page: Page) => page.evaluate(async () => void (await (await navigator.serviceWorker.ready).update()));
async function isOfSecond(page: Page): Promise<boolean> {
  const script = page.locator('script[src]').first();
  return ((await script.getAttribute('src').catch(() => '')) ?? '').includes('second00');
}
const isSecond = (page: Page) => eventually('it is the second build', () => isOfSecond(page));
const caches = (page: Page) => page.evaluate(() => globalThis.caches.keys());

describe('a new build', () => {
  it('is offered, leaves the page whole until it is taken, and then takes the place of the old one in all tabs', async () => {
    const [first, second] = [await enter(), await open()];
    const before = await caches(first);
    expect(before).toHaveLength(1);
    front.second = true;
    await look(first);
    for (const page of [first, second]) await page.getByText('A new version of Natter is ready.').waitFor();
    // A part that was not loaded yet, and is not on the server any more.
    await first.getByRole('button', { name: 'Your account' }).click();
    await first.getByRole('link', { name: 'Settings' }).click();
    await first.getByRole('heading', { name: 'Settings' }).waitFor();
    expect(await first.locator('script[src*="second00"]').count()).toBe(0);
    await first.getByRole('button', { name: 'Reload' }).click();
    for (const page of [first, second]) {
      await isSecond(page);
      await page.locator('[data-home]').waitFor();
    }
    await eventually('the old files are gone', async () => {
      const names = await caches(first);
      return names.length === 1 && names[0] !== before[0];
    });
    await second.goto(`${url}/settings`);
    await second.getByRole('heading', { name: 'Settings' }).waitFor();
    expect(await second.getByText('A new version').count()).toBe(0);
  });

  it('is taken at the next start, where nobody else is there', async () => {
    let page = await enter();
    front.second = true;
    await look(page);
    await page.getByText('A new version of Natter is ready.').waitFor();
    await page.getByRole('button', { name: 'Later' }).click();
    await page.getByText('A new version').waitFor({ state: 'detached' });
    // A browser that is busy may still count the page that was left, or let the old build go on: then it is offered again.
    // Seen twice: a start between the two builds that stood still. Whoever starts again has one of the two.
    const offered = () => page.getByText('A new version').count();
    await eventually(
      'a start takes it',
      async () => {
        await orSoon(page.close());
        page = await context.newPage();
        await page.goto(`${url}/`, { waitUntil: 'commit' }).catch(() => {});
        const known = async () => (await isOfSecond(page)) || (await offered()) > 0;
        await eventually('it is taken, or offered', known).catch(() => {});
        return isOfSecond(page);
      },
      100_000,
    );
    await page.locator('[data-home]').waitFor();
  });

  it('is not taken from a server that has only half of it', async () => {
    const page = await enter();
    const before = await caches(page);
    front.second = true;
    // As behind a balancer of which one node is still the old one: the page is of the first build.
    front.half = true;
    await look(page).catch(() => {});
    await page.reload();
    await page.locator('[data-home]').waitFor();
    expect(await page.locator('script[src*="second00"]').count()).toBe(0);
    front.half = false;
    await look(page);
    await page.getByText('A new version of Natter is ready.').waitFor();
    expect((await caches(page)).includes(before[0] ?? '')).toBe(true);
  });
});
