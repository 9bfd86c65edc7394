/** Without a network: the app starts, what was known is readable, what is written waits, and all is put right at the return. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import {
  composer,
  eventually,
  isKept,
  logInAt,
  message,
  openHouse,
  outbox,
  say,
  settled,
  shown,
  stored,
} from './house.js';

const house = openHouse({}, { shell: true });
const ada = house.resident('ada', 'Ada Lovelace');
const bob = house.resident('bob', 'Bob Ross');

const room = (name: string, members = [bob.id]) => ada.api.createRoom({ kind: 'channel', name, members });

/** Reads a room of one message, until all of it is on the device. */
async function visit(name: string, text: string): Promise<{ page: Page; id: number }> {
  const { id } = await room(name);
  await bob.api.sendMessage(id, { text });
  const page = await house.enter('ada', `/r/${id}`);
  await message(page, text).waitFor();
  await isKept(page, text);
  await settled(page);
  return { page, id };
}

describe('the shell', () => {
  it('starts without a network, at every address of the app, with all of its parts', async () => {
    const { page, id } = await visit('shell', 'there');
    house.cut();
    for (const path of ['/', `/r/${id}`, '/search', '/settings/appearance', '/settings']) {
      await page.goto(house.url + path);
      await page.locator('[data-home]').waitFor();
      await page.locator('main:visible').first().waitFor();
    }
    await page.goto(`${house.url}/settings/appearance`);
    await page.getByRole('radio', { name: 'Dark' }).waitFor();
  });

  it('has nothing to do with the API, the documents and the paths of other servers', async () => {
    const { page, id } = await visit('paths', 'asked');
    const names = await page.evaluate(async () => {
      const all: string[] = [];
      for (const name of await caches.keys()) {
        for (const { url } of await (await caches.open(name)).keys()) all.push(new URL(url).pathname);
      }
      return all;
    });
    expect(names.filter((name) => !/^\/(?:$|assets\/|favicon\.ico$|[^/]+\.(?:png|webmanifest)$)/.test(name))).toEqual(
      [],
    );
    expect(names).toContain('/');
    const answered = await page.evaluate(async () => {
      const answers: Record<string, number> = {};
      for (const path of ['/v1/server', '/health/live', '/openapi.json', '/docs', '/api/docs']) {
        answers[path] = (await fetch(path)).status;
      }
      return answers;
    });
    house.cut();
    for (const path of [...Object.keys(answered), `/v1/rooms/${id}/messages`]) {
      const failed = await page.evaluate(
        (it) =>
          fetch(it).then(
            () => false,
            () => true,
          ),
        path,
      );
      expect(failed, path).toBe(true);
    }
    // A document that is asked for in the address bar is none of the app.
    await expect(page.goto(`${house.url}/docs`)).rejects.toThrow(/ERR_/);
  });

  it('keeps the policy of the page, whoever serves it', async () => {
    const { page } = await visit('policy', 'strict');
    const online = (await fetch(house.url, { headers: { accept: 'text/html' } })).headers.get(
      'content-security-policy',
    );
    house.cut();
    const answer = await page.reload();
    expect(answer?.fromServiceWorker()).toBe(true);
    expect(answer?.headers()['content-security-policy']).toBe(online);
    expect(online).toContain("script-src 'self';");
    expect(online).toContain("require-trusted-types-for 'script'; trusted-types natter");
  });

  it('is asked for anew each time, and may serve the whole origin', async () => {
    const answer = await fetch(`${house.url}/sw.js`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-cache');
    expect(answer.headers.get('content-type')).toMatch(/^(?:text|application)\/javascript/);
    const page = await house.enter('ada');
    await settled(page);
    expect(await page.evaluate(async () => (await navigator.serviceWorker.ready).scope)).toBe(`${house.url}/`);
    expect((await fetch(`${house.url}/addresses.json`)).status).toBe(404);
  });
});

describe('what was known', () => {
  it('is shown at a start without a network: rooms, names, the newest messages, and no spinner', async () => {
    const { page, id } = await visit('known', 'read before');
    const other = await room('never opened');
    await page.getByRole('link', { name: 'never opened' }).waitFor();
    await eventually('the list is kept', async () => (await stored(page, 'natter-rooms')).includes('never opened'));
    house.cut();
    await page.goto(`${house.url}/`);
    // Where it was read last.
    await message(page, 'read before').waitFor();
    expect(new URL(page.url()).pathname).toBe(`/r/${id}`);
    expect(await message(page, 'read before').textContent()).toContain('Bob Ross');
    await page.getByText('You are offline. What you can see stays readable.').waitFor();
    await page.goto(`${house.url}/r/${other.id}`);
    await page.getByText('not on this device').waitFor();
    house.mend();
    await page.getByText('This is where never opened begins').waitFor();
    await page.getByText('not on this device').waitFor({ state: 'detached' });
  });

  it('does not wait for a network that says nothing', async () => {
    const { page } = await visit('silent', 'at once');
    house.hold();
    await page.reload();
    await message(page, 'at once').waitFor();
    house.release();
    await say(page, 'heard again');
    await eventually('it is sent', async () => (await page.locator('[data-pending]').count()) === 0);
  });

  it('[H4] is put right at the return: what was said, edited, deleted, and a room that was lost', async () => {
    const { page, id } = await visit('return', 'to be edited');
    const lost = await bob.api.createRoom({ kind: 'channel', name: 'to be lost', members: [ada.id] });
    await bob.api.sendMessage(lost.id, { text: 'for members alone' });
    const gone = await bob.api.sendMessage(id, { text: 'to be deleted' });
    await message(page, 'to be deleted').waitFor();
    await page.getByRole('link', { name: 'to be lost' }).click();
    await message(page, 'for members alone').waitFor();
    await isKept(page, 'for members alone');
    await page.goto(`${house.url}/r/${id}`);
    await isKept(page, 'to be deleted');
    house.cut();
    await page.reload();
    await message(page, 'to be edited').waitFor();
    const { messages } = await bob.api.messages(id);
    await bob.api.editMessage(messages[0]?.id ?? 0, 'EDITED');
    await bob.api.deleteMessage(gone.id ?? 0);
    await bob.api.sendMessage(id, { text: 'said meanwhile' });
    await bob.api.removeMember(lost.id, ada.id);
    expect(await shown(page)).toEqual(['to be edited', 'to be deleted']);
    house.mend();
    await message(page, 'said meanwhile').waitFor();
    await message(page, 'EDITED').waitFor();
    expect(await page.getByText('to be deleted').count()).toBe(0);
    await page.getByRole('link', { name: 'to be lost' }).waitFor({ state: 'detached' });
    await eventually(
      'it is forgotten',
      async () => !(await stored(page, 'natter-rooms')).includes('for members alone'),
    );
  });

  it('goes when one logs out, and is nobody else’s', async () => {
    const { page, id } = await visit('private', 'only for ada');
    await composer(page).fill('a draft of ada');
    await page.getByRole('button', { name: 'Your account' }).click();
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByLabel('Password', { exact: true }).waitFor();
    await eventually('nothing is left', async () => (await stored(page, 'natter-rooms')) === '');
    expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toContain('a draft of ada');
    await logInAt(page, 'bob');
    await page.getByRole('link', { name: 'private' }).waitFor();
    await page.goto(`${house.url}/r/${id}`);
    await message(page, 'only for ada').waitFor();
    await isKept(page, 'only for ada');
    expect(await stored(page, 'natter-rooms')).toContain(`"user":${bob.id}`);
    expect(await stored(page, 'natter-rooms')).not.toContain(`"user":${ada.id},`);
  });

  it('[S2] goes when the server ends the session; what was not sent waits for its writer', async () => {
    const carol = await house.join('carol');
    const { id } = await carol.api.createRoom({ kind: 'group', name: 'ended', members: [ada.id] });
    const page = await house.enter('carol', `/r/${id}`);
    await say(page, 'sent');
    await message(page, 'sent').waitFor();
    await isKept(page, 'sent');
    house.cut();
    await say(page, 'not sent');
    await composer(page).fill('begun');
    await eventually('it is saved', async () => (await outbox(page)).includes('not sent'));
    await carol.api.endSessions({ keepCurrent: true });
    house.mend();
    await page.getByText('Your session was ended').waitFor();
    await eventually('nothing is left', async () => (await stored(page, 'natter-rooms')) === '');
    await page.reload();
    await logInAt(page, 'carol');
    await page.goto(`${house.url}/r/${id}`);
    await message(page, 'not sent').waitFor();
    await eventually('it is sent', async () => (await carol.api.messages(id)).messages.length === 2);
    expect(await shown(page)).toEqual(['sent', 'not sent']);
  });

  it('ends on the server, as soon as that is there, what was left without a network', async () => {
    const dave = await house.join('dave');
    const page = await house.enter('dave');
    await settled(page);
    const mine = async () => (await dave.api.sessions()).sessions.length;
    expect(await mine()).toBe(2);
    house.cut();
    await page.getByRole('button', { name: 'Your account' }).click();
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByLabel('Password', { exact: true }).waitFor();
    expect(await mine()).toBe(2);
    await page.reload();
    await page.getByLabel('Password', { exact: true }).waitFor();
    house.mend();
    await eventually('it is ended', async () => (await mine()) === 1);
    await eventually('nothing is left to do', () =>
      page.evaluate(() => localStorage.getItem('natter:leaving') === null),
    );
  });
});

describe('what is read without a network', () => {
  const row = async (id: number) => (await ada.api.rooms()).rooms.find((one) => one.id === id);

  it('[M2] counts as read when the network is back, also after a reload; markers move forward alone', async () => {
    const { page, id } = await visit('read-before', 'known');
    const other = await room('read-offline');
    const [first] = [await bob.api.sendMessage(other.id, { text: 'first' })];
    await page.locator(`[data-room="${other.id}"]`).click();
    await message(page, 'first').waitFor();
    await eventually('it is read', async () => (await row(other.id))?.unread === 0);
    await page.locator(`[data-room="${id}"]`).click();
    await message(page, 'known').waitFor();
    await bob.api.sendMessage(other.id, { text: 'second' });
    await isKept(page, 'second');
    house.cut();
    await page.locator(`[data-room="${other.id}"]`).click();
    await message(page, 'second').waitFor();
    const waits = () => page.evaluate(() => Object.keys(localStorage).some((key) => key.startsWith('natter:read:')));
    await eventually('the mark waits', waits);
    expect((await row(other.id))?.readSeq).toBe(first?.seq);
    await page.goto(`${house.url}/settings/appearance`);
    await page.getByRole('radio', { name: 'Dark' }).waitFor();
    // Nobody has read what came after it.
    const third = await bob.api.sendMessage(other.id, { text: 'third' });
    house.mend();
    await eventually('the mark is told', async () => (await row(other.id))?.unread === 1);
    expect((await row(other.id))?.readSeq).toBe((third.seq ?? 0) - 1);
    await eventually('nothing waits', async () => !(await waits()));
  });

  it('[M3] stays unread where it was marked so', async () => {
    const { page, id } = await visit('unread-offline', 'to come back to');
    await eventually('it is read', async () => (await row(id))?.unread === 0);
    house.cut();
    await page.getByText('You are offline').waitFor();
    await message(page, 'to come back to').click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Mark unread from here' }).click();
    await page.goto(`${house.url}/settings/appearance`);
    await page.getByRole('radio', { name: 'Dark' }).waitFor();
    house.mend();
    await eventually('the mark is told', async () => (await row(id))?.unread === 1);
  });
});

describe('what waits to be sent', () => {
  it('[L3] survives reloads without a network, in order, and goes out once', async () => {
    const { page, id } = await visit('outbox', 'before');
    house.cut();
    for (const text of ['one', 'two', 'three']) await say(page, text);
    await page.reload();
    await message(page, 'three').waitFor();
    expect(await shown(page)).toEqual(['before', 'one', 'two', 'three']);
    await page.getByText('3 messages wait').waitFor();
    await message(page, 'two').getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('2 messages wait').waitFor();
    await page.reload();
    await message(page, 'three').waitFor();
    await say(page, 'four');
    expect(await shown(page)).toEqual(['before', 'one', 'three', 'four']);
    house.mend();
    await eventually('all are sent', async () => (await page.locator('[data-pending]').count()) === 0);
    const { messages } = await bob.api.messages(id);
    expect(messages.map(({ text }) => text)).toEqual(['before', 'one', 'three', 'four']);
    expect(await shown(page)).toEqual(['before', 'one', 'three', 'four']);
    await eventually('nothing is kept', async () => (await outbox(page)) === '');
  });

  it('[L3] survives a browser tab that crashes in the middle of it, and is not sent twice', async () => {
    const { page, id } = await visit('crash', 'before');
    // What is sent arrives; that it did is never heard.
    await page.routeWebSocket(/v1\/socket/, (socket) => {
      const server = socket.connectToServer();
      socket.onMessage((text) => server.send(text));
      server.onMessage((text) => {
        if (!String(text).includes('"reply"')) socket.send(text);
      });
    });
    await page.reload();
    await message(page, 'before').waitFor();
    await say(page, 'arrived');
    await eventually('it is in the log', async () => (await bob.api.messages(id)).messages.length === 2);
    house.cut();
    await say(page, 'not yet');
    await eventually('both are saved', async () => /arrived.*not yet/s.test(await outbox(page)));
    const context = page.context();
    const crashed = page.waitForEvent('crash');
    page.goto('chrome://crash').catch(() => {});
    await crashed;
    await page.close();
    house.mend();
    const again = await context.newPage();
    await again.goto(`${house.url}/r/${id}`);
    await message(again, 'not yet').waitFor();
    await eventually('all are sent', async () => (await again.locator('[data-pending]').count()) === 0);
    const { messages } = await bob.api.messages(id);
    expect(messages.map(({ text }) => text)).toEqual(['before', 'arrived', 'not yet']);
    expect(await shown(again)).toEqual(['before', 'arrived', 'not yet']);
  });

  it('is given up only when whoever logs out says so', async () => {
    const { page, id } = await visit('discard', 'before');
    house.cut();
    await say(page, 'never to be sent');
    await page.getByText('1 message waits').waitFor();
    const leave = async () => {
      await page.getByRole('button', { name: 'Your account' }).click();
      await page.getByRole('button', { name: 'Log out' }).click();
    };
    await leave();
    await page.getByRole('dialog').getByText('1 message has not been sent yet').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    expect(await shown(page)).toEqual(['before', 'never to be sent']);
    await leave();
    await page.getByRole('button', { name: 'Log out and discard' }).click();
    await page.getByLabel('Password', { exact: true }).waitFor();
    await eventually('nothing is left', async () => (await outbox(page)) === '');
    house.mend();
    await logInAt(page, 'ada');
    await page.goto(`${house.url}/r/${id}`);
    await message(page, 'before').waitFor();
    expect(await shown(page)).toEqual(['before']);
  });
});
