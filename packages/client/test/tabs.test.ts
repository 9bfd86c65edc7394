/** Tabs of one browser that have one outbox: the built SDK in a real browser, with its locks and without. */
import type { NatterClient } from '@natter/client';
import type { Page } from 'playwright-core';
import { beforeEach, describe, expect, it } from 'vitest';
import { type InPage, Tabs } from './in-page.js';
import { eventually } from './waiting.js';

declare const natter: InPage['natter'];
declare const client: NatterClient;

const tabs = new Tabs();
const said = () => tabs.said();

/** A tab with the outbox of all tabs, connected or not. */
async function tab(connected = true): Promise<Page> {
  const page = await tabs.open();
  await page.evaluate(async (connects) => {
    const opened = (globalThis as unknown as InPage).open({ outbox: natter.savedOutbox(natter.indexedDbStorage()) });
    if (connects) await opened.connect();
  }, connected);
  return page;
}

const write = (page: Page, text: string) => page.evaluate((it) => client.timeline(7).send(it), text);
const shows = (page: Page, texts: string[]) =>
  page.waitForFunction((wanted) => {
    const { pending: waiting } = client.timeline(7).getSnapshot();
    return JSON.stringify(waiting.map(({ text }) => text)) === JSON.stringify(wanted);
  }, texts);

describe.each(['with locks', 'without locks'])('two tabs %s', (which) => {
  beforeEach(async () => {
    // As on a plain http page.
    if (which === 'without locks') {
      await tabs.context.addInitScript(() => Object.defineProperty(navigator, 'locks', { value: undefined }));
    }
  });

  it('show each other what waits, in the order in which it was written', async () => {
    const [first, second] = [await tab(false), await tab(false)];
    await write(first, 'one');
    await shows(second, ['one']);
    await write(second, 'two');
    await shows(first, ['one', 'two']);
    await write(first, 'three');
    await shows(second, ['one', 'two', 'three']);
    const late = await tab(false);
    await shows(late, ['one', 'two', 'three']);
    const where = await second.evaluate(() =>
      client.outbox.view.getSnapshot().map(({ elsewhere }) => elsewhere ?? false),
    );
    expect(where).toEqual([true, false, true]);
  });

  it('[L3] each send their own, once', async () => {
    const [first, second] = [await tab(false), await tab(false)];
    await write(first, 'of the first');
    await write(second, 'of the second');
    await shows(first, ['of the first', 'of the second']);
    await Promise.all([first, second].map((page) => page.evaluate(() => client.connect())));
    await eventually('both', () => said().length === 2);
    for (const page of [first, second]) await shows(page, []);
    expect(said().sort()).toEqual(['of the first', 'of the second']);
    const keys = tabs.server.connections.flatMap(({ heard }) =>
      heard.flatMap(({ type, key }) => (type === 'message.send' ? key : [])),
    );
    expect(keys).toHaveLength(2);
  });

  it('cancel in one what the other holds: it is gone in both, and is never sent', async () => {
    const [first, second] = [await tab(false), await tab(false)];
    const key = await write(first, 'taken back');
    await write(first, 'kept');
    await shows(second, ['taken back', 'kept']);
    expect(await second.evaluate((it) => client.outbox.cancel(it), key)).toBe(true);
    for (const page of [first, second]) await shows(page, ['kept']);
    expect(await second.evaluate((it) => client.outbox.cancel(it), key)).toBe(false);
    await first.evaluate(() => client.connect());
    await eventually('it is sent', () => said().length === 1);
    expect(said()).toEqual(['kept']);
  });

  it('retry in one what was refused in the other', async () => {
    const [first, second] = [await tab(), await tab(false)];
    tabs.server.script.command = (connection, frame) => tabs.server.refuse(connection, frame, { code: 'archived' });
    const key = await write(first, 'again');
    await second.waitForFunction(() => client.outbox.view.getSnapshot()[0]?.state.is === 'failed');
    const error = await second.evaluate(() => {
      const state = client.outbox.view.getSnapshot()[0]?.state;
      return state?.is === 'failed' && state.error instanceof natter.NatterError && state.error.code;
    });
    expect(error).toBe('archived');
    delete tabs.server.script.command;
    expect(await second.evaluate((it) => client.outbox.retry(it), key)).toBe(true);
    await eventually('it is sent', () => said().length === 1);
    for (const page of [first, second]) await shows(page, []);
  });

  it('[L3] one takes over at once, and shows once, what the other left when it was closed', async () => {
    const [first, second] = [await tab(false), await tab(false)];
    await write(first, 'left behind');
    await write(second, 'mine');
    await shows(second, ['left behind', 'mine']);
    await first.close();
    await second.waitForFunction(() => client.outbox.view.getSnapshot().every(({ elsewhere }) => !elsewhere));
    await shows(second, ['left behind', 'mine']);
    await second.evaluate(() => client.connect());
    await eventually('both', () => said().length === 2);
    expect(said()).toEqual(['left behind', 'mine']);
    await shows(second, []);
  });

  it('[L3] one takes over what the other had no time to write down, and one of them alone', async () => {
    const [first, second, third] = [await tab(false), await tab(false), await tab(false)];
    for (const page of [first, second, third]) {
      await page.evaluate(() => {
        // A disk that is too slow for whoever closes the tab.
        const { put } = IDBObjectStore.prototype;
        IDBObjectStore.prototype.put = function (value, key) {
          return String(value).includes('too late') ? (this.get('') as IDBRequest) : put.call(this, value, key);
        };
      });
    }
    await write(first, 'too late');
    for (const page of [second, third]) await shows(page, ['too late']);
    await first.close();
    const holders = () =>
      Promise.all(
        [second, third].map((page) =>
          page.evaluate(() => client.outbox.view.getSnapshot().filter(({ elsewhere }) => !elsewhere).length),
        ),
      );
    await expect.poll(async () => (await holders()).sort().join(), { timeout: 20_000 }).toBe('0,1');
    for (const page of [second, third]) await shows(page, ['too late']);
    await Promise.all([second, third].map((page) => page.evaluate(() => client.connect())));
    await eventually('it is sent', () => said().length === 1);
    for (const page of [second, third]) await shows(page, []);
  });

  it('[L3] never shows a message twice, nor without it between the outbox and the log, in the tab that did not send it', async () => {
    const [first, second] = [await tab(), await tab()];
    for (const page of [first, second]) await page.evaluate(() => client.timeline(7).load());
    await second.evaluate(() => {
      const seen: string[] = [];
      Object.assign(globalThis, { seen });
      const timeline = client.timeline(7);
      timeline.subscribe(() => {
        const { messages, pending: waiting } = timeline.getSnapshot();
        seen.push([...messages, ...waiting].map(({ text }) => text).join());
      });
    });
    for (const text of ['a', 'b', 'a']) await write(first, text);
    await second.waitForFunction(() => client.timeline(7).getSnapshot().messages.length === 3);
    await shows(second, []);
    const states = await second.evaluate(() => (globalThis as unknown as { seen: string[] }).seen);
    const steps = states.filter((state, index) => state !== '' && state !== states[index - 1]);
    // It only grows: whatever was in sight stays, once.
    expect(
      steps.every((state) => ['a', 'a,b', 'a,b,a'].includes(state)),
      steps.join(' | '),
    ).toBe(true);
    expect(steps).toEqual([...steps].sort((one, other) => one.length - other.length));
  });
});
