/** A page that has the SDK, served by a server of a few lines. */
import type { NatterClient } from '@natter/client';
import type { BrowserContext, Page } from 'playwright-core';
import { bundle } from './bundling.js';
import type { FakeServer } from './fake-server.js';

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

const html = { 'content-type': 'text/html' };

export async function serveSdk(server: FakeServer): Promise<void> {
  const { code } = await bundle(SOURCE);
  server.script.request = ({ path }) => {
    if (path === '/') {
      return { status: 200, body: '<!doctype html><script type="module" src="/sdk.js"></script>', headers: html };
    }
    return path === '/sdk.js' ? { status: 200, body: code, headers: { 'content-type': 'text/javascript' } } : null;
  };
}

export async function openPage(context: BrowserContext, server: FakeServer): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${server.url}/`);
  await page.waitForFunction(() => 'natter' in globalThis);
  return page;
}
