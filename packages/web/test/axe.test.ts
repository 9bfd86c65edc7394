/** Every page and whatever opens on it, wide and on a phone, light and dark: axe finds nothing. */
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { goWithin, message, openHouse } from './house.js';

interface Found {
  violations: { id: string; help: string; nodes: { html: string; failureSummary?: string }[] }[];
}

/** What is shown now, in both themes: a theme changes colours and nothing else, so that dark is judged by those alone. */
async function judge(page: Page): Promise<string[]> {
  // Through the debugger: the page's own policy lets nothing else in.
  const session = await page.context().newCDPSession(page);
  const evaluate = async (expression: string) =>
    (await session.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })).result.value;
  if (!(await evaluate('"axe" in globalThis'))) await session.send('Runtime.evaluate', { expression: axe.source });
  const found: string[] = [];
  for (const [colorScheme, options] of THEMES) {
    await page.emulateMedia({ colorScheme });
    const { violations } = JSON.parse(
      await evaluate(
        `axe.run(document, ${JSON.stringify(options)}).then(({ violations }) => JSON.stringify({ violations }))`,
      ),
    ) as Found;
    for (const { id, nodes } of violations) {
      for (const { html, failureSummary } of nodes) found.push(`${colorScheme}: ${id}: ${html}\n${failureSummary}`);
    }
  }
  await session.detach();
  return found;
}
const THEMES = [
  ['light', {}],
  ['dark', { runOnly: { type: 'rule', values: ['color-contrast', 'link-in-text-block'] } }],
] as const;

const house = openHouse({}, { stay: true });
const ada = house.resident('ada', 'Ada Lovelace');
const bob = house.resident('bob', 'Bob Ross');
let room: number;
beforeAll(async () => {
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

const WIDE = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

describe('axe finds nothing', () => {
  it('at the door', async () => {
    const page = await (await house.device({ viewport: WIDE, reducedMotion: 'reduce' })).newPage();
    await page.goto(`${house.url}/`);
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    expect(await judge(page)).toEqual([]);
    await page.getByRole('button', { name: 'Create an account' }).click();
    await page.getByLabel('Full name').waitFor();
    expect(await judge(page)).toEqual([]);
  });
});

describe.each([
  ['wide', WIDE],
  ['on a phone', PHONE],
])('axe finds nothing, %s,', (_, viewport) => {
  let page: Page;
  beforeAll(async () => {
    // Nothing is judged in the middle of a motion.
    page = await house.enter('ada', '/', { viewport, reducedMotion: 'reduce' });
  });
  const phone = viewport === PHONE;

  it('in a room', async () => {
    await goWithin(page, `/r/${room}`);
    await message(page, 'Coming!').waitFor();
    expect(await judge(page)).toEqual([]);
    await message(page, 'Coming!').hover();
    await page.getByRole('toolbar').waitFor();
    expect(await judge(page)).toEqual([]);
  });

  it('in what opens over a room', async () => {
    await goWithin(page, `/r/${room}`);
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
  });

  it('in what stands beside a room', async () => {
    await goWithin(page, `/r/${room}`);
    await message(page, 'Coming!').waitFor();
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
    await page.getByRole('complementary').getByRole('button', { name: 'Close' }).click();
    await page.getByRole('button', { name: '1 reply' }).click();
    await page.locator('aside[data-thread] li', { hasText: 'Coming!' }).hover();
    await page.locator('aside[data-thread]').getByRole('toolbar').waitFor();
    expect(await judge(page)).toEqual([]);
    await page.getByRole('complementary').getByRole('button', { name: 'Close' }).click();
  });

  it('in the search', async () => {
    await goWithin(page, '/search?q=soup');
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
    ['/settings/notifications', 'What calls me'],
    ['/settings/appearance', 'Density'],
    ['/admin/people', 'Bob Ross'],
    ['/admin/people/1', 'Deactivate'],
    ['/admin/rooms', 'kitchen'],
    ['/admin/audit', 'marked as verified'],
    ['/admin/figures', 'People online'],
    ['/unread', 'hello'],
    ['/mentions', 'is ready'],
  ])('at %s', async (path, text) => {
    await goWithin(page, path);
    await page.getByRole('main').getByText(text).filter({ visible: true }).first().waitFor();
    expect(await judge(page)).toEqual([]);
    if (phone) return;
    await page.getByRole('button', { name: 'Your account' }).click();
    expect(await judge(page)).toEqual([]);
    await page.keyboard.press('Escape');
  });

  it('in the windows about rooms', async () => {
    await goWithin(page, phone ? '/' : '/settings/profile');
    for (const name of ['New room', 'New direct message', 'Browse channels']) {
      await page.getByRole('button', { name }).filter({ visible: true }).first().click();
      await page.getByRole('dialog').waitFor();
      expect(await judge(page)).toEqual([]);
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
    }
  });

  it('in the switcher, and the sheet of keys', async () => {
    await goWithin(page, '/mentions');
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox').fill('soup');
    await page.getByRole('option', { name: /Bob Ross/ }).waitFor();
    expect(await judge(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await page.getByRole('combobox').waitFor({ state: 'detached' });
    await page.keyboard.press('Control+/');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    expect(await judge(page)).toEqual([]);
    await page.keyboard.press('Escape');
  });
});
