/** Every page, light and dark: axe finds nothing. */
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { House, message } from './house.js';

interface Found {
  violations: { id: string; help: string; nodes: { html: string; failureSummary?: string }[] }[];
}

async function judge(page: Page): Promise<string[]> {
  // Through the debugger: the page's own policy lets nothing else in.
  const session = await page.context().newCDPSession(page);
  await session.send('Runtime.evaluate', { expression: axe.source });
  const { result } = await session.send('Runtime.evaluate', {
    expression: 'axe.run().then(({ violations }) => JSON.stringify({ violations }))',
    awaitPromise: true,
    returnByValue: true,
  });
  await session.detach();
  const { violations } = JSON.parse(result.value) as Found;
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`),
  );
}

let house: House;
let room: number;
beforeAll(async () => {
  house = await House.open();
  const ada = await house.join('ada', 'Ada Lovelace');
  const bob = await house.join('bob', 'Bob Ross');
  room = (await ada.api.createRoom({ kind: 'channel', name: 'kitchen', topic: 'What is cooking', members: [bob.id] }))
    .id;
  const first = await bob.api.sendMessage(room, {
    text: '**Soup** is ready, @ada\n\n```js\nladle()\n```\n\n> enough for all',
  });
  await ada.api.react(first.id, '🎉');
  await ada.api.sendMessage(room, { text: 'Coming!', replyTo: first.id });
  await ada.api.deleteMessage((await ada.api.sendMessage(room, { text: 'gone' })).id);
  await ada.api.setUserVerified(bob.id, true);
  const direct = await bob.api.openDirect(ada.id);
  await bob.api.sendMessage(direct.id, { text: 'hello' });
});
afterEach(() => house.leave());
afterAll(() => house.close());

describe.each(['light', 'dark'] as const)('axe, %s', (colorScheme) => {
  it('finds nothing at the door', async () => {
    const page = await (await house.device({ colorScheme })).newPage();
    await page.goto(`${house.url}/`);
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    expect(await judge(page)).toEqual([]);
    await page.getByRole('button', { name: 'Create an account' }).click();
    expect(await judge(page)).toEqual([]);
  });

  it.each([
    ['wide', { width: 1280, height: 800 }],
    ['on a phone', { width: 390, height: 844 }],
  ])('finds nothing in a room, %s', async (_, viewport) => {
    const page = await house.enter('ada', `/r/${room}`, { colorScheme, viewport });
    await message(page, 'Coming!').waitFor();
    expect(await judge(page)).toEqual([]);
    await message(page, 'Coming!').hover();
    await page.getByRole('toolbar').waitFor();
    expect(await judge(page)).toEqual([]);
  });

  it.each([
    ['wide', { width: 1280, height: 800 }],
    ['on a phone', { width: 390, height: 844 }],
  ])('finds nothing in the search, %s', async (_, viewport) => {
    const page = await house.enter('ada', '/search?q=soup', { colorScheme, viewport });
    await page.locator('[data-hit]').first().waitFor();
    expect(await judge(page)).toEqual([]);
    for (const name of ['From', 'In', 'When', 'Match']) {
      await page.getByRole('button', { name, exact: true }).click();
      await page.getByRole('dialog', { name }).waitFor();
      expect(await judge(page)).toEqual([]);
      await page.keyboard.press('Escape');
    }
    await page.getByLabel('Search messages').fill('nothingatall');
    await page.getByRole('heading', { name: /Nothing found/ }).waitFor();
    expect(await judge(page)).toEqual([]);
  });

  it.each([
    ['/settings/profile', 'Save'],
    ['/settings/password', 'Change password'],
    ['/settings/sessions', 'Leave everywhere'],
    ['/settings/appearance', ''],
    ['/admin/people', ''],
    ['/admin/people/1', 'Deactivate'],
    ['/admin/rooms', ''],
    ['/admin/audit', ''],
    ['/admin/figures', ''],
  ])('finds nothing at %s', async (path, button) => {
    const page = await house.enter('ada', path, { colorScheme });
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: 800 });
      await page.locator('main li, main form, main fieldset').first().waitFor();
      if (button) await page.getByRole('main').getByRole('button', { name: button }).first().waitFor();
      expect(await judge(page)).toEqual([]);
    }
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.getByRole('button', { name: 'Your account' }).click();
    expect(await judge(page)).toEqual([]);
  });

  it('finds nothing in the windows about rooms', async () => {
    const page = await house.enter('ada', '/', { colorScheme });
    for (const name of ['New room', 'New direct message', 'Browse channels']) {
      await page.getByRole('button', { name }).first().click();
      await page.getByRole('dialog').waitFor();
      expect(await judge(page)).toEqual([]);
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
    }
  });

  it.each([
    ['wide', { width: 1280, height: 800 }],
    ['on a phone', { width: 390, height: 844 }],
  ])('finds nothing in what opens over a room and beside it, %s', async (_, viewport) => {
    const page = await house.enter('ada', `/r/${room}`, { colorScheme, viewport });
    await message(page, 'Coming!').waitFor();
    await message(page, 'Coming!').click({ button: 'right' });
    await page.getByRole('menu').waitFor();
    expect(await judge(page)).toEqual([]);
    await page.getByRole('menuitem', { name: 'React with an emoji' }).click();
    await page.getByRole('button', { name: 'grinning face', exact: true }).waitFor();
    expect(await judge(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await page.locator('[data-composer]').fill('@bo');
    await page.getByRole('listbox').waitFor();
    expect(await judge(page)).toEqual([]);
    await page.locator('[data-composer]').fill('');
    await page.getByRole('button', { name: 'Members and details' }).click();
    for (const [tab, text] of [
      ['Members', 'Bob Ross'],
      ['Pinned', 'Nothing is pinned'],
      ['Room', 'What may those who join later read?'],
    ] as const) {
      await page.getByRole('tab', { name: tab }).click();
      await page.getByRole('tabpanel').getByText(text).first().waitFor();
      expect(await judge(page)).toEqual([]);
    }
  });

  it('finds nothing in the switcher, the sheet of keys, and what is unread', async () => {
    const page = await house.enter('ada', '/unread', { colorScheme });
    await page.getByRole('main').getByText('hello').waitFor();
    expect(await judge(page)).toEqual([]);
    await page.goto(`${house.url}/mentions`);
    await page.getByRole('main').getByText('is ready').waitFor();
    expect(await judge(page)).toEqual([]);
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox').fill('soup');
    await page.getByRole('option', { name: /Bob Ross/ }).waitFor();
    expect(await judge(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await page.getByRole('combobox').waitFor({ state: 'detached' });
    await page.keyboard.press('Control+/');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    expect(await judge(page)).toEqual([]);
  });
});
