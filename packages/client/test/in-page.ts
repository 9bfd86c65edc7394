/** A browser whose pages have the SDK, served by a server of a few lines. */
import type { NatterClient } from '@natter/client';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { bundle } from './bundling.js';
import { FakeServer } from './fake-server.js';

const SOURCE = `
import * as core from '@natter/client';
import { keepKnown, readKnown, restoreKnown } from '@natter/client/known';
import { savedOutbox } from '@natter/client/saved-outbox';
import { indexedDbStorage } from '@natter/client/storage';
const natter = globalThis.natter = { ...core, indexedDbStorage, keepKnown, readKnown, restoreKnown, savedOutbox };
globalThis.open = (options) => {
  globalThis.client = new natter.NatterClient({
    url: location.origin,
    token: async () => 'token-1',
    user: 1,
    timing: { backoffFirst: 20, backoffMax: 100 },
    ...options,
  });
  globalThis.heard = [];
  client.on('message.sent', ({ body }) => heard.push(body.text));
  return client;
};
`;

export interface InPage {
  natter: typeof import('@natter/client') &
    typeof import('@natter/client/known') &
    typeof import('@natter/client/saved-outbox') &
    typeof import('@natter/client/storage');
  client: NatterClient;
  heard: string[];
  open(options?: object): NatterClient;
}

/** The room that there is, with users 1 and 2; pages are of user 1. */
export const ROOM = 7;

/** A browser for the tests of a file; for each of them a new server, and a context whose pages share what browsers keep. */
export class Tabs {
  server!: FakeServer;
  context!: BrowserContext;
  #browser: Browser | undefined;
  #sdk = '';

  constructor() {
    beforeAll(async () => {
      this.#sdk = (await bundle(SOURCE)).code;
      const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
      this.#browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
    });
    afterAll(() => this.#browser?.close());
    beforeEach(async () => {
      this.server = await FakeServer.start();
      this.server.tokens.set('token-1', 1);
      this.server.makeRoom(ROOM, [1, 2]);
      serveSdk(this.server, this.#sdk);
      this.context = await (this.#browser as Browser).newContext();
    });
    afterEach(async () => {
      await this.context.close();
      await this.server.close();
    });
  }

  async open(): Promise<Page> {
    const page = await this.context.newPage();
    await page.goto(`${this.server.url}/`);
    await page.waitForFunction(() => 'natter' in globalThis);
    return page;
  }

  /** Texts of the messages in the log. */
  said(): string[] {
    return this.server.log(ROOM).flatMap((event) => (event.type === 'message.sent' ? event.body.text : []));
  }
}

const html = { 'content-type': 'text/html' };

function serveSdk(server: FakeServer, code: string): void {
  server.script.request = ({ path }) => {
    if (path === '/') {
      return { status: 200, body: '<!doctype html><script type="module" src="/sdk.js"></script>', headers: html };
    }
    return path === '/sdk.js' ? { status: 200, body: code, headers: { 'content-type': 'text/javascript' } } : null;
  };
}
