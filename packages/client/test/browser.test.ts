/** The built SDK in a real browser, over its own WebSocket. */
import type { NatterClient } from '@natter/client';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { problem } from './fake-server.js';
import { type InPage, ROOM, Tabs } from './in-page.js';
import { eventually } from './waiting.js';
import { openWholeServer } from './whole-server.js';

/** Names of the page's globals, for the functions that run there. */
declare const natter: InPage['natter'];
declare const client: NatterClient;
declare const heard: string[];

const tabs = new Tabs();
const texts = () => tabs.said();
const openPage = () => tabs.open();

/** Connects in the page, with `localStorage` where asked for. */
const connect = (page: Page, stored = false) =>
  page.evaluate(async (keep) => {
    const opened = (globalThis as unknown as InPage).open(
      keep ? { outbox: natter.savedOutbox(natter.webStorage()) } : {},
    );
    await opened.connect();
  }, stored);

describe('in a browser', () => {
  it('[H4] connects, sends, receives, and takes in what it missed', async () => {
    const page = await openPage();
    await connect(page);
    expect(tabs.server.connections.length).toBe(1);
    const result = await page.evaluate(() => client.send('message.send', { room: 7, text: 'from the page' }));
    expect(result).toMatchObject({ stream: ROOM, seq: 2 });
    tabs.server.say(ROOM, 2, 'hello');
    await page.waitForFunction(() => heard.includes('hello'));
    tabs.server.last.cut();
    tabs.server.say(ROOM, 2, 'missed');
    await page.waitForFunction(() => heard.includes('missed'));
    expect(await page.evaluate(() => heard)).toEqual(['from the page', 'hello', 'missed']);
    expect(tabs.server.connections.length).toBe(2);
    const row = await page.evaluate(() => client.rooms.get(7));
    expect(row).toMatchObject({ unread: 2, head: 4 });
  });

  it('shows a timeline: pages by HTTP, live events, one’s own at once', async () => {
    tabs.server.say(ROOM, 2, 'before');
    const page = await openPage();
    await connect(page);
    const shown = await page.evaluate(async () => {
      const timeline = client.timeline(7);
      await timeline.load();
      timeline.send('mine');
      const pending = timeline.getSnapshot().pending.map(({ text }) => text);
      await timeline.until(({ messages, pending: left }) => messages.length === 2 && left.length === 0);
      return { pending, messages: timeline.getSnapshot().messages.map(({ text }) => text) };
    });
    expect(shown).toEqual({ pending: ['mine'], messages: ['before', 'mine'] });
  });

  it('[L3] sends after a reload what was not answered before it, once', async () => {
    const page = await openPage();
    await connect(page, true);
    tabs.server.script.reply = (connection) => {
      connection.cut();
      return true;
    };
    tabs.server.script.hello = () => true;
    await page.evaluate(() => ['one', 'two'].map((text) => client.timeline(7).send(text)));
    await eventually('the first', () => texts().length === 1);
    delete tabs.server.script.reply;
    delete tabs.server.script.hello;
    await page.reload();
    await page.waitForFunction(() => 'natter' in globalThis);
    await connect(page, true);
    await eventually('both', () => texts().length === 2);
    await page.waitForFunction(() => client.outbox.view.getSnapshot().length === 0);
    expect(texts()).toEqual(['one', 'two']);
    await page.waitForFunction(() => localStorage.length === 0);
  });

  it('[L3] leaves each tab its own outbox, and takes over that of a tab that was closed', async () => {
    const [first, second] = [await openPage(), await openPage()];
    await connect(first, true);
    await connect(second, true);
    tabs.server.script.command = () => true;
    await first.evaluate(() => client.timeline(7).send('of the first'));
    await second.evaluate(() => client.timeline(7).send('of the second'));
    await second.waitForFunction(() => localStorage.length === 2);
    await first.close();
    await second.reload();
    await second.waitForFunction(() => 'natter' in globalThis);
    delete tabs.server.script.command;
    await connect(second, true);
    await eventually('both', () => texts().length === 2);
    expect(texts().sort()).toEqual(['of the first', 'of the second']);
  });

  it('[L3] takes over what a page left that was still there when this one began, and said nothing any more', async () => {
    const [first, second, third] = [await openPage(), await openPage(), await openPage()];
    await connect(first, true);
    tabs.server.script.command = () => true;
    await first.evaluate(() => client.timeline(7).send('left behind'));
    await second.waitForFunction(() => localStorage.length === 1);
    await first.close();
    // A page that is being reloaded holds its place for a moment yet.
    await second.evaluate(() => {
      const place = localStorage.key(0) as string;
      const held = (): Promise<void> => new Promise((leave) => Object.assign(globalThis, { leave }));
      return new Promise<void>((resolve) => {
        void navigator.locks.request(place, () => {
          resolve();
          return held();
        });
      });
    });
    delete tabs.server.script.command;
    await connect(third, true);
    expect(texts()).toEqual([]);
    await second.evaluate(() => (globalThis as unknown as { leave: () => void }).leave());
    await eventually('it is sent', () => texts().length === 1);
    await third.waitForFunction(() => localStorage.length === 0);
    expect(texts()).toEqual(['left behind']);
  });

  it('[L3] keeps what is written in a page that opens while another one looks at all places', async () => {
    const [first, second] = [await openPage(), await openPage()];
    await connect(first, true);
    tabs.server.script.command = () => true;
    await first.evaluate(() => client.timeline(7).send('of the first'));
    await second.waitForFunction(() => localStorage.length === 1);
    await first.evaluate(() => {
      const name = (localStorage.key(0) as string).replace(/\d+$/, '');
      const look = (slot: number) => {
        const hold = () => new Promise<void>((resolve) => setTimeout(resolve, 300));
        return new Promise<void>((resolve) => {
          void navigator.locks.request(`${name}${slot}`, () => {
            resolve();
            return hold();
          });
        });
      };
      // Its own is held already.
      return Promise.all(Array.from({ length: 15 }, (_, slot) => look(slot + 1)));
    });
    await connect(second, true);
    await second.evaluate(() => client.timeline(7).send('of the second'));
    await second.waitForFunction(() => localStorage.length === 2);
  });

  it('comes back at once when the browser says that it is online', async () => {
    const page = await openPage();
    await page.evaluate(async () => {
      const timing = { backoffFirst: 600_000, backoffMax: 600_000 };
      await (globalThis as unknown as InPage).open({ timing }).connect();
    });
    tabs.server.last.cut();
    await page.waitForFunction(() => client.connection.getSnapshot().state === 'waiting');
    await page.evaluate(() => dispatchEvent(new Event('online')));
    await page.waitForFunction(() => client.connection.getSnapshot().state === 'live');
    expect(tabs.server.connections.length).toBe(2);
  });

  it('keeps texts in IndexedDB', async () => {
    const page = await openPage();
    const kept = await page.evaluate(async () => {
      const storage = natter.indexedDbStorage();
      await storage.set('a', '1');
      await storage.set('b', '2');
      await storage.remove('a');
      const again = natter.indexedDbStorage();
      await storage.set('b:2', '3');
      await storage.set('c', '4');
      return [await again.get('a'), await again.get('b'), [...(await again.all('b'))], [...(await again.all('x'))]];
    });
    expect(kept).toEqual([
      undefined,
      '2',
      [
        ['b', '2'],
        ['b:2', '3'],
      ],
      [],
    ]);
  });

  it('[S3] renews a log-in with one token for all tabs', async () => {
    let issued = 0;
    const used: string[] = [];
    const { request } = tabs.server.script;
    tabs.server.script.request = (asked) => {
      if (!asked.path.startsWith('/v1/sessions')) return request?.(asked) ?? null;
      if (asked.path === '/v1/sessions/refresh') {
        const token = String(asked.body.refreshToken);
        used.push(token);
        // As the server does with the loser of a race: refused, and the session lives.
        if (used.filter((one) => one === token).length > 1) return problem(401, 'bad_refresh_token');
      }
      issued += 1;
      const user = { id: 1, name: 'ada' };
      return {
        status: 200,
        body: { accessToken: `a${issued}`, refreshToken: `r${issued}`, expiresIn: 1_800, session: 's', user },
      };
    };
    const [first, second] = [await openPage(), await openPage()];
    await first.evaluate(async () => {
      await natter.logIn(location.origin, { name: 'ada', password: 'x' }, { storage: natter.webStorage() });
    });
    const renew = (page: Page) =>
      page.evaluate(async () => {
        const credentials = await natter.restoreLogIn(location.origin, { storage: natter.webStorage() });
        return credentials?.token('a1');
      });
    expect(await Promise.all([renew(first), renew(second)])).toEqual(['a2', 'a2']);
    // Tabs see each other's `localStorage` a moment late: the second may try the old token, and then finds the new one.
    expect(new Set(used)).toEqual(new Set(['r1']));
  });
});

describe('in a browser, with the whole server', () => {
  it('[L1][H4] two people talk, and go on when the server has stopped and started again', async () => {
    const whole = await openWholeServer();
    try {
      const [first, second] = [await openPage(), await openPage()];
      const enter = (page: Page, name: string) =>
        page.evaluate(
          async ({ url, who }) => {
            const credentials = await natter.register(url, { name: who, password: 'correct horse battery' });
            const { token, user } = credentials;
            await (globalThis as unknown as InPage).open({ url, token, user: user.id }).connect();
            return user.id;
          },
          { url: whole.url, who: name },
        );
      await enter(first, 'ada');
      const bob = await enter(second, 'bob');
      const room = await first.evaluate(async (user) => {
        const { stream } = await client.send('room.open', { user });
        await client.timeline(stream).load();
        return stream;
      }, bob);
      await second.waitForFunction((id) => client.rooms.get(id) !== undefined, room);
      await second.evaluate((id) => client.timeline(id).load(), room);
      await first.evaluate((id) => client.timeline(id).send('hello @bob'), room);
      await second.waitForFunction((id) => client.rooms.get(id)?.mentions === 1, room);
      await whole.stop();
      await second.waitForFunction(() => client.connection.getSnapshot().state === 'waiting');
      await second.evaluate((id) => ['one', 'two'].map((text) => client.timeline(id).send(text)), room);
      expect(await second.evaluate((id) => client.timeline(id).getSnapshot().pending.length, room)).toBe(2);
      await whole.start();
      const shown = async (page: Page) => {
        await page.waitForFunction((id) => client.timeline(id).getSnapshot().messages.length === 3, room);
        return page.evaluate(
          (id) =>
            client
              .timeline(id)
              .getSnapshot()
              .messages.map(({ text }) => text),
          room,
        );
      };
      expect(await shown(first)).toEqual(['hello @bob', 'one', 'two']);
      expect(await shown(second)).toEqual(['hello @bob', 'one', 'two']);
      await first.waitForFunction((id) => client.rooms.get(id)?.unread === 2, room);
    } finally {
      await whole.close();
    }
  });
});
