/** Two tabs of one browser: in together and out together, with one token, one outbox, the same drafts, marks and look. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { composer, eventually, logInAt, message, openHouse, say, shown } from './house.js';

const house = openHouse({}, { shell: true });
const ada = house.resident('ada', 'Ada Lovelace');
const bob = house.resident('bob', 'Bob Ross');

/** Two tabs of ada's browser, in one room; how often it asked for a new token. */
async function tabs(name: string): Promise<{ first: Page; second: Page; id: number; renewals: () => number }> {
  const { id } = await ada.api.createRoom({ kind: 'channel', name, members: [bob.id] });
  const first = await house.enterByDoor('ada', `/r/${id}`);
  let renewals = 0;
  first.context().on('request', (request) => {
    if (request.url().endsWith('/v1/sessions/refresh')) renewals += 1;
  });
  await composer(first).waitFor();
  const second = await first.context().newPage();
  await second.goto(`${house.url}/r/${id}`);
  await composer(second).waitFor();
  return { first, second, id, renewals: () => renewals };
}

const menu = async (page: Page, item: string) => {
  await page.getByRole('button', { name: 'Your account' }).click();
  await page.getByRole('button', { name: item }).click();
};
const door = (page: Page) => page.getByLabel('Password', { exact: true });
const pending = (page: Page) => page.locator('[data-pending]');

describe('two tabs', () => {
  it('[S3] have one token: the second asks the first, and not the server', async () => {
    const { first, second, id, renewals } = await tabs('token');
    await bob.api.sendMessage(id, { text: 'heard by both' });
    for (const page of [first, second]) await message(page, 'heard by both').waitFor();
    expect(renewals()).toBe(0);
    // Alone, it has nobody to ask.
    await first.close();
    await second.reload();
    await message(second, 'heard by both').waitFor();
    await eventually('it is asked for', () => renewals() === 1);
  });

  it('[S3] do not wait for ever for one that hangs in the middle of a renewal', async () => {
    const { id } = await ada.api.createRoom({ kind: 'channel', name: 'hanging' });
    const context = await house.device();
    const hanging = await house.admit(context, 'ada');
    await hanging.evaluate(() => {
      const hold = new Promise<void>((release) => Object.assign(globalThis, { release }));
      return new Promise<void>((held) => {
        void navigator.locks.request('natter:session', () => {
          held();
          return hold;
        });
      });
    });
    const page = await context.newPage();
    // As the page waits a minute, only sooner.
    await page.addInitScript(() => {
      const late = globalThis.setTimeout;
      globalThis.setTimeout = ((run: () => void, after?: number, ...more: unknown[]) =>
        late(run, after === 60_000 ? 500 : after, ...more)) as typeof setTimeout;
    });
    await page.goto(`${house.url}/r/${id}`);
    await page.locator('[data-connection="waiting"]').waitFor({ state: 'attached' });
    await hanging.evaluate(() => (globalThis as unknown as { release: () => void }).release());
    await page.locator('[data-connection="live"]').waitFor({ state: 'attached' });
  });

  it('are out together, and in together, as whoever logs in', async () => {
    const { first, second } = await tabs('out');
    const before = (await ada.api.sessions()).sessions.length;
    await menu(second, 'Log out');
    for (const page of [first, second]) await door(page).waitFor();
    await eventually('its session is over', async () => (await ada.api.sessions()).sessions.length === before - 1);
    await logInAt(first, 'bob');
    await second.locator('[data-home]').waitFor();
    for (const page of [first, second]) await page.getByRole('button', { name: 'Bob Ross' }).waitFor();
    // A reload finds nobody else either.
    await second.reload();
    await second.getByRole('button', { name: 'Bob Ross' }).waitFor();
  });

  it('[S2] are out together when the session is ended elsewhere', async () => {
    const { first, second } = await tabs('ended');
    await ada.api.endSessions({ keepCurrent: true });
    for (const page of [first, second]) await page.getByText('Your session was ended').waitFor();
  });

  it('show the same outbox, and what one cancels the other never sends', async () => {
    const { first, second, id } = await tabs('outbox');
    house.cut();
    await say(first, 'one');
    await message(second, 'one').waitFor();
    await say(second, 'two');
    await say(first, 'three');
    for (const page of [first, second]) {
      // Each tab hears of the others' for itself.
      for (const text of ['one', 'two', 'three']) await message(page, text).waitFor();
      expect(await shown(page)).toEqual(['one', 'two', 'three']);
      await page.getByText('3 messages wait').waitFor();
    }
    await message(second, 'one').getByRole('button', { name: 'Cancel' }).click();
    for (const page of [first, second]) await message(page, 'one').waitFor({ state: 'detached' });
    house.mend();
    for (const page of [first, second]) {
      await eventually(
        'all are sent',
        async () => (await pending(page).count()) === 0 && (await shown(page)).length === 2,
      );
    }
    const { messages } = await bob.api.messages(id);
    const texts = messages.map(({ text }) => text);
    expect([...texts].sort()).toEqual(['three', 'two']);
    for (const page of [first, second]) expect(await shown(page)).toEqual(texts);
  });

  it('[L3] what one leaves when it is closed, the other sends', async () => {
    const { first, second, id } = await tabs('closed');
    house.cut();
    await say(first, 'left behind');
    await message(second, 'left behind').waitFor();
    await first.close();
    house.mend();
    await eventually('it is sent', async () => (await bob.api.messages(id)).messages.length === 1);
    await eventually('it is shown as sent', async () => (await pending(second).count()) === 0);
    expect(await shown(second)).toEqual(['left behind']);
  });

  it('have the same drafts, the same look, and the same marks', async () => {
    const { first, second, id } = await tabs('same');
    await composer(first).fill('begun here');
    await eventually('the draft is there', async () => (await composer(second).inputValue()) === 'begun here');
    await composer(second).fill('');
    await eventually('the draft is gone', async () => (await composer(first).inputValue()) === '');
    await first.goto(`${house.url}/settings/appearance`);
    await first.getByRole('radio', { name: 'Dark' }).click();
    await second.locator('html[data-theme="dark"]').waitFor();
    const ground = () =>
      second.locator('meta[name="theme-color"]').evaluateAll((all) => all.map((meta) => meta.getAttribute('content')));
    expect(new Set(await ground()).size).toBe(1);
    await second.goto(`${house.url}/settings`);
    await bob.api.sendMessage(id, { text: 'unread' });
    const link = (page: Page) => page.getByRole('link', { name: /same.*1 unread message/ });
    for (const page of [first, second]) await link(page).waitFor();
    await second.bringToFront();
    await link(second).click();
    await message(second, 'unread').waitFor();
    await link(first).waitFor({ state: 'detached' });
  });
});
