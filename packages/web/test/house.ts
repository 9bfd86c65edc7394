/** A real server with the built app, a way to it that can be cut, and people with browsers of their own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Credentials, register } from '@natter/client';
import { Api } from '@natter/client/api';
import { Http } from '@natter/client/http';
import { type App, openApp } from '@natter/server/app';
import { loadConfig } from '@natter/server/config';
import { makeLogger } from '@natter/server/logger';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';

export const PASSWORD = 'correct horse battery';

/** Somebody who may act by program, beside their pages. */
export interface Person {
  id: number;
  name: string;
  api: Api;
  credentials: Credentials;
}

export class House {
  readonly #env: Record<string, string>;
  readonly #serviceWorkers: 'allow' | 'block';
  readonly #folder = mkdtempSync(join(tmpdir(), 'natter-web-'));
  readonly #links = new Set<Socket>();
  #held = false;
  readonly #hosts = new Set<string>();
  readonly #contexts: BrowserContext[] = [];
  /** What went wrong in any page: nothing should. */
  readonly complaints: string[] = [];
  #app: App | null = null;
  #way: Server | null = null;
  #browser: Browser | null = null;
  #port = 0;
  #cut = false;

  constructor(env: Record<string, string>, shell: boolean) {
    this.#env = env;
    this.#serviceWorkers = shell ? 'allow' : 'block';
  }

  async open(): Promise<void> {
    const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
    const launching = chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
    await this.start();
    this.#way = createServer((near) => this.#pass(near));
    await new Promise<void>((resolve) => this.#way?.listen(0, '127.0.0.1', resolve));
    this.knows(this.url);
    this.#browser = await launching;
  }

  /** Another address of this server, which its pages may ask. */
  knows(url: string): void {
    this.#hosts.add(new URL(url).host);
  }

  /** Through the way that can be cut. */
  get url(): string {
    const address = this.#way?.address();
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  }

  async start(): Promise<void> {
    const env = { HOST: '127.0.0.1', LIMITS: 'off', LOG_LEVEL: 'error', METRICS_ACCESS: 'off', ...this.#env };
    const loaded = loadConfig(env, this.#folder);
    if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
    this.#app = await openApp({ ...loaded.config, port: this.#port }, { logger: makeLogger('error') });
    this.#port = this.#app.port;
  }

  async stop(): Promise<void> {
    await this.#app?.close();
    this.#app = null;
  }

  /** Nothing gets through any more: what is connected breaks, and nobody connects. */
  cut(): void {
    this.#cut = true;
    for (const link of this.#links) link.destroy();
  }

  mend(): void {
    this.#cut = false;
  }

  /** What is connected stays so, and nothing comes through any more, as behind a pulled cable. */
  hold(): void {
    this.#held = true;
    for (const link of this.#links) link.pause();
  }

  /** What was held comes through, late. */
  release(): void {
    if (!this.#held) return;
    this.#held = false;
    for (const link of this.#links) link.resume();
  }

  /** Somebody who has an account before the first test of the file; not to be asked for anything earlier. */
  resident(name: string, fullName = ''): Person {
    const person = {} as Person;
    beforeAll(async () => {
      Object.assign(person, await this.join(name, fullName));
    });
    return person;
  }

  async join(name: string, fullName = ''): Promise<Person> {
    const direct = `http://127.0.0.1:${this.#port}`;
    const credentials = await register(direct, { name, password: PASSWORD, ...(fullName ? { fullName } : {}) });
    const api = new Api(new Http({ url: direct, token: credentials.token }));
    return { id: credentials.user.id, name, api, credentials };
  }

  /** A browser of its own: cookies and storage are nobody else's. */
  async device(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    if (!this.#browser) throw new Error('the house is closed');
    const context = await this.#browser.newContext({
      locale: 'en-GB',
      timezoneId: 'Europe/Berlin',
      serviceWorkers: this.#serviceWorkers,
      ...options,
    });
    context.setDefaultTimeout(25_000);
    this.#contexts.push(context);
    context.on('page', (page) => {
      page.on('pageerror', (error) => this.complaints.push(`${error.stack}`));
      page.on('console', (message) => {
        // What the browser says by itself of a network that was cut is no bug of the page.
        if (message.type() === 'error' && !/ERR_|WebSocket|Failed to load resource/.test(message.text())) {
          this.complaints.push(message.text());
        }
      });
      page.on('request', (request) => {
        const url = new URL(request.url());
        if (/^(?:https?|wss?):$/.test(url.protocol) && !this.#hosts.has(url.host)) {
          this.complaints.push(`a request to ${url.origin}`);
        }
      });
    });
    return context;
  }

  /** Somebody's page, in a browser that is logged in since before. */
  async enter(name: string, path = '/', options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.device(options);
    const page = await this.admit(context, name);
    await page.goto(this.url + path);
    await isLive(page);
    return page;
  }

  /** Somebody's page, logged in by the door. */
  async enterByDoor(name: string, path = '/', options: BrowserContextOptions = {}): Promise<Page> {
    const page = await (await this.device(options)).newPage();
    await page.goto(this.url + path);
    await logInAt(page, name);
    return page;
  }

  /** A page in a browser that has what a log-in by the door leaves there: the cookie, and who it is. */
  async admit(context: BrowserContext, name: string): Promise<Page> {
    const answer = await context.request.post(`${this.url}/v1/sessions`, {
      headers: { origin: this.url },
      data: { name, password: PASSWORD, cookie: true },
    });
    if (!answer.ok()) throw new Error(`${name} is not let in: ${await answer.text()}`);
    const { user, session } = await answer.json();
    const page = await context.newPage();
    await page.goto(`${this.url}/health/live`);
    await page.evaluate((mark) => localStorage.setItem('natter:logged-in', mark), JSON.stringify({ user, session }));
    return page;
  }

  /** Everybody goes: their pages close. */
  async leave(): Promise<void> {
    for (const context of this.#contexts.splice(0)) await orSoon(context.close());
  }

  async close(): Promise<void> {
    await this.#browser?.close();
    await this.stop();
    this.cut();
    await new Promise((resolve) => (this.#way ? this.#way.close(resolve) : resolve(null)));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #pass(near: Socket): void {
    if (this.#cut) {
      near.destroy();
      return;
    }
    const far = connect(this.#port, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#links.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#links.delete(from);
        to.destroy();
      });
      from.pipe(to);
      if (this.#held) from.pause();
    }
  }
}

/**
 * A house for the tests of a file: open before the first of them, and empty after each, with the network as it was. In no
 * page may anything have gone wrong. `env`: settings of the server beside those of all tests. `stay`: who is there stays
 * until the last test. `shell`: browsers keep the app's own files, as they do outside of tests: that costs each of them some
 * time.
 */
export function openHouse(env: Record<string, string> = {}, { stay = false, shell = false } = {}): House {
  const house = new House(env, shell);
  beforeAll(() => house.open());
  afterEach(async () => {
    house.release();
    house.mend();
    if (!stay) await house.leave();
  });
  afterAll(async () => {
    await house.close();
    expect(house.complaints).toEqual([]);
  });
  return house;
}

export async function logInAt(page: Page, name: string): Promise<void> {
  await page.getByLabel('Name or e-mail address').fill(name);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Log in', exact: true }).click();
  await isLive(page);
}

/** The page is there and connected, with nothing left of the time before. */
export const isLive = (page: Page): Promise<void> =>
  page.locator('[data-home] [data-connection="live"]').waitFor({ state: 'attached' });

/** The texts of the messages that stand in the page, in their order; those on their way too. */
export function shown(page: Page): Promise<string[]> {
  return page
    .locator('[data-timeline] li[data-key^="m"] [data-text], [data-timeline] li[data-pending] [data-text]')
    .allTextContents();
}

/** A text that stands in the timeline. */
export const message = (page: Page, text: string) => page.locator('[data-timeline] li', { hasText: text });

/** One that the server has: it can be edited. */
export const sentMessage = (page: Page, text: string) =>
  page.locator('[data-timeline] li[data-seq]', { hasText: text });

export const composer = (page: Page) => page.locator('[data-composer]');

/** Writes as a person does, and sends. */
export async function say(page: Page, text: string): Promise<void> {
  await composer(page).fill(text);
  await composer(page).press('Enter');
}

/** Goes to an address of the app as a link in it does, without a load. */
export async function goWithin(page: Page, path: string): Promise<void> {
  await page.evaluate((to) => history.pushState(null, '', to), path);
}

/** The app's own files are on this device, and served from there. */
export async function settled(page: Page): Promise<void> {
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
}

/** What a browser keeps in one of the app's databases, as one text. */
export function stored(page: Page, name: string): Promise<string> {
  return page.evaluate(
    (database) =>
      new Promise<string>((resolve, reject) => {
        const opening = indexedDB.open(database);
        opening.onupgradeneeded = () => opening.result.createObjectStore('texts');
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const reading = opening.result.transaction('texts').objectStore('texts').getAll();
          reading.onsuccess = () => {
            opening.result.close();
            resolve(reading.result.join('\n'));
          };
        };
      }),
    name,
  );
}

/** What waits to be sent, as it is kept, as one text. */
export const outbox = (page: Page): Promise<string> =>
  page.evaluate(() =>
    Object.entries(localStorage)
      .filter(([key]) => key.startsWith('natter:outbox:'))
      .map(([, text]) => text)
      .join('\n'),
  );

/** Waits until the newest messages of a room are kept on this device. */
export const isKept = (page: Page, text: string): Promise<void> =>
  eventually(`“${text}” is kept`, async () => (await stored(page, 'natter-rooms')).includes(text));

/** What the browser has lost can't be closed by itself: it goes with the browser. */
export async function orSoon(closed: Promise<void>): Promise<void> {
  await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 10_000))]);
}

export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  within = 20_000,
): Promise<void> {
  const end = performance.now() + within;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within ${within} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
