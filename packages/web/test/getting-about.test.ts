/** Getting about by key and by name: the switcher, the next room, what is unread, what calls me, the sheet of keys. */
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { composer, eventually, message, openHouse } from './house.js';

const house = openHouse();
const ada = house.resident('ada', 'Ada Lovelace');
const bob = house.resident('bob', 'Bob Ross');
const rooms: Record<string, number> = {};
beforeAll(async () => {
  await house.join('cleo', 'Cleo Adams');
  for (const name of ['alpha', 'beta', 'delta', 'gamma']) {
    rooms[name] = (await bob.api.createRoom({ kind: 'channel', name, members: [ada.id] })).id;
  }
});

/** Nothing is unread. */
async function readAll(): Promise<void> {
  for (const { id, head } of (await ada.api.rooms()).rooms) await ada.api.moveRead(id, head);
}

const open = (name: string) => house.enter('ada', `/r/${rooms[name]}`);
const atRoom = (page: Page, name: string) =>
  page.getByRole('main').getByRole('heading', { level: 1, name, exact: true }).waitFor();

describe('the switcher', () => {
  it('leads to rooms, people and messages by a few letters; what is unread stands first', async () => {
    await readAll();
    await bob.api.sendMessage(rooms.gamma as number, { text: 'a zeppelin over the harbour' });
    const page = await open('alpha');
    await page.locator(`[data-room="${rooms.gamma}"][data-unread]`).waitFor();
    await composer(page).press('Control+k');
    const box = page.getByRole('combobox');
    const option = page.getByRole('option');
    expect(await option.first().textContent()).toContain('gamma');

    // A room: letters in their order, with others between them.
    await box.fill('dlt');
    await page.getByRole('option', { name: 'delta' }).waitFor();
    await box.press('Enter');
    await atRoom(page, 'delta');
    expect(await page.getByRole('dialog').count()).toBe(0);

    // A message, shown in its place and marked.
    await page.keyboard.press('Control+k');
    await box.fill('zeppelin');
    await page.getByRole('option', { name: /Bob Ross/ }).click();

    await atRoom(page, 'gamma');
    await page.locator('[data-found]', { hasText: 'zeppelin' }).waitFor();

    // Somebody that nothing was said with yet.
    await page.keyboard.press('Control+k');
    await box.fill('cleo');
    await page.getByRole('option', { name: /Cleo Adams/ }).waitFor();
    await box.press('Enter');
    await atRoom(page, 'Cleo Adams');

    // The rest is the search's.
    await page.keyboard.press('Control+k');
    await box.fill('no such thing');
    await box.press('ArrowUp');
    await box.press('Enter');
    await page.waitForURL(/\/search\?q=no/);
    await page.keyboard.press('Control+k');
    await box.press('Escape');
    await box.waitFor({ state: 'detached' });

    // With nothing unread, where one was last.
    await readAll();
    await page.locator('nav a[data-unread]').first().waitFor({ state: 'detached' });
    await eventually('they stand first', async () => {
      await page.keyboard.press('Control+k');
      await option.first().waitFor();
      const [first, second] = await option.allTextContents();
      await box.press('Escape');
      await box.waitFor({ state: 'detached' });
      return first?.includes('Cleo Adams') === true && second?.includes('gamma') === true;
    });
  });
});

describe('the switcher, for a channel that one may join', () => {
  const dialog = (page: Page) => page.getByRole('dialog');

  it('joins it', async () => {
    const { id } = await bob.api.createRoom({ kind: 'channel', name: 'observatory', visibility: 'public' });
    const page = await open('alpha');
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox').fill('observ');
    await page.getByRole('option', { name: 'observatory 1 member' }).waitFor();
    expect(await dialog(page).getByText('Channels to join').count()).toBe(1);
    await page.getByRole('combobox').press('Enter');
    await atRoom(page, 'observatory');
    await dialog(page).waitFor({ state: 'detached' });
    expect((await ada.api.room(id)).member).toBe(true);

    // It is among the rooms from now on, once.
    await page.keyboard.press('Control+k');
    const found = page.waitForResponse(/\/v1\/search\/rooms/);
    await page.getByRole('combobox').fill('observ');
    await (await found).finished();
    expect(await dialog(page).getByText('Channels to join').count()).toBe(0);
    expect(await page.getByRole('option', { name: /observatory/ }).count()).toBe(1);
  });

  it('says what is in the way', async () => {
    const { id } = await bob.api.createRoom({ kind: 'channel', name: 'planetarium', visibility: 'public' });
    const page = await open('alpha');
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox').fill('planet');
    await page.getByRole('option', { name: /planetarium/ }).waitFor();
    await bob.api.archiveRoom(id);
    await page.getByRole('combobox').press('Enter');
    await dialog(page).getByRole('alert').filter({ hasText: 'This room is archived' }).waitFor();
    await page.getByRole('combobox').press('Escape');
    await atRoom(page, 'alpha');
  });
});

describe('keys', () => {
  it('lead to the next room, and to the next unread one', async () => {
    await readAll();
    await bob.api.sendMessage(rooms.gamma as number, { text: 'something new' });
    const page = await open('alpha');
    await page.locator(`[data-room="${rooms.gamma}"][data-unread]`).waitFor();
    await composer(page).press('Alt+ArrowDown');
    await atRoom(page, 'beta');
    await page.keyboard.press('Alt+ArrowUp');
    await atRoom(page, 'alpha');
    await page.keyboard.press('Alt+Shift+ArrowDown');
    await atRoom(page, 'gamma');
  });

  it('are all on the sheet that ? shows', async () => {
    const page = await open('alpha');
    await page.locator('[data-timeline]').focus();
    await page.keyboard.press('?');
    const sheet = page.getByRole('dialog', { name: 'Keys' });
    await sheet.getByText('Next unread room').waitFor();
    await page.keyboard.press('Escape');
    await sheet.waitFor({ state: 'detached' });
    // Where one writes it is a question mark.
    await composer(page).pressSequentially('?');
    expect(await composer(page).inputValue()).toBe('?');
    expect(await sheet.count()).toBe(0);
    await composer(page).fill('');
    await page.keyboard.press('Control+/');
    await sheet.waitFor();
  });

  it('open what the buttons of the page open, and do nothing where one writes or there is no such button', async () => {
    const page = await open('alpha');
    const timeline = page.locator('[data-timeline]');
    for (const [key, title] of [
      ['w', 'New direct message'],
      ['b', 'Browse channels'],
      ['+', 'New room'],
    ] as const) {
      await timeline.focus();
      await page.keyboard.press(key);
      await page.getByRole('dialog', { name: title }).waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
    }
    await timeline.focus();
    await page.keyboard.press('d');
    await page.getByRole('complementary', { name: 'About alpha' }).waitFor();
    // At the present, with nothing new above: there is nowhere to go.
    for (const key of ['j', 'n', 'q', '"', '\\']) await page.keyboard.press(key);
    await composer(page).pressSequentially('wb+dsjn');
    expect(await composer(page).inputValue()).toBe('wb+dsjn');
    expect(await page.getByRole('dialog').count()).toBe(0);
    await composer(page).fill('');
    await timeline.focus();
    await page.keyboard.press('s');
    await page.getByRole('heading', { name: 'Settings' }).waitFor();
  });

  it('lead up to what is new and down to the present', async () => {
    await readAll();
    for (let count = 0; count < 60; count += 1) {
      await bob.api.sendMessage(rooms.beta as number, { text: `new to her ${count}` });
    }
    const page = await open('beta');
    await message(page, 'new to her 0').first().waitFor();
    await page.locator('[data-timeline]').focus();
    await page.keyboard.press('j');
    await page.getByRole('button', { name: /^60 new messages since \d\d:\d\d/ }).waitFor();
    await page.locator('[data-timeline]').focus();
    await page.keyboard.press('n');
    await page.getByRole('button', { name: /new messages? below|Jump to present/ }).waitFor();
    await message(page, 'new to her 0').first().waitFor();
    expect(await page.locator('[data-key="new"] + li').textContent()).toContain('new to her 0');
    await readAll();
  });

  it('lead from region to region, around and back', async () => {
    const page = await open('alpha');
    await composer(page).waitFor();
    const here = () =>
      page.evaluate(() => {
        const region = document.activeElement?.closest('[data-region]');
        return region?.getAttribute('aria-label') ?? region?.tagName ?? '';
      });
    const seen = new Set<string>();
    const first = await here();
    for (let step = 0; step < 6; step += 1) {
      await page.keyboard.press('F6');
      seen.add(await here());
    }
    expect(seen).toContain('Rooms');
    expect(seen).toContain('Messages in alpha');
    const last = await here();
    await page.keyboard.press('F6');
    await page.keyboard.press('Shift+F6');
    expect(await here()).toBe(last);
    expect(first).not.toBe('');
  });
});

describe('the inbox', () => {
  it('shows what is unread room by room, what calls me first, until it is marked as read', async () => {
    await readAll();
    await bob.api.sendMessage(rooms.beta as number, { text: 'said to nobody' });
    await bob.api.sendMessage(rooms.delta as number, { text: 'are you there, @ada?' });
    const page = await open('alpha');
    await page.locator('[data-timeline]').focus();
    await page.keyboard.press('i');
    await page.getByRole('heading', { name: 'Unread' }).waitFor();
    const parts = page.getByRole('main').getByRole('region');
    await page.getByText('are you there').waitFor();
    await page.getByText('said to nobody').waitFor();
    expect(await parts.evaluateAll((all) => all.map((one) => one.getAttribute('aria-label')))).toEqual([
      'delta',
      'beta',
    ]);
    await parts.first().getByRole('button', { name: 'Mark as read' }).click();
    await page.getByText('are you there').waitFor({ state: 'detached' });
    await page.locator(`[data-room="${rooms.delta}"][data-unread]`).waitFor({ state: 'detached' });
    await page.getByText('said to nobody').click();
    await page.locator('[data-found]', { hasText: 'said to nobody' }).waitFor();
    await eventually('it counts as read', async () => {
      const row = (await ada.api.rooms()).rooms.find(({ id }) => id === rooms.beta);
      return row?.unread === 0;
    });
    await page.locator('[data-timeline]').focus();
    await page.keyboard.press('i');
    await page.getByRole('heading', { name: 'All is read' }).waitFor();
  });

  it('shows what mentions me, and leads there', async () => {
    await bob.api.sendMessage(rooms.gamma as number, { text: 'once more for @ada' });
    const page = await open('alpha');
    await page.locator('[data-timeline]').focus();
    await page.keyboard.press('m');
    await page.getByRole('heading', { name: 'Mentions' }).waitFor();
    await page.getByText('once more for @ada').click();
    await atRoom(page, 'gamma');
    await page.locator('[data-found]', { hasText: 'once more for' }).waitFor();
  });

  it('marks unread from a message on, on all devices', async () => {
    const first = await bob.api.sendMessage(rooms.alpha as number, { text: 'first of two' });
    await bob.api.sendMessage(rooms.alpha as number, { text: 'second of two' });
    await readAll();
    const [page, other] = [await open('alpha'), await open('beta')];
    await message(page, 'first of two').click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Mark unread from here' }).click();
    await other.locator(`[data-room="${rooms.alpha}"][data-unread]`).waitFor();
    await page.locator('[data-key="new"] + li', { hasText: 'first of two' }).waitFor();
    const row = (await ada.api.rooms()).rooms.find(({ id }) => id === rooms.alpha);
    expect(row?.unread).toBe(2);
    expect(row?.unreadFrom).toBe(first.seq);
  });
});
