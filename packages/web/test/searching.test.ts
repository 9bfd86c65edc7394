/** The search page: what is found, what is shown of it, and where it leads. */
import { beforeAll, describe, expect, it } from 'vitest';
import { eventually, message, openHouse } from './house.js';

const house = openHouse();
const ada = house.resident('ada', 'Ada Lovelace');
const bob = house.resident('bob', 'Bob Ross');
let kitchen: number;
let garden: number;
let soup: { id: number; seq: number };
beforeAll(async () => {
  kitchen = (await ada.api.createRoom({ kind: 'channel', name: 'kitchen', members: [bob.id] })).id;
  garden = (await ada.api.createRoom({ kind: 'channel', name: 'garden', members: [bob.id] })).id;
  const secret = await ada.api.createRoom({ kind: 'channel', name: 'secret', visibility: 'private' });
  await ada.api.sendMessage(secret.id, { text: 'the soup nobody may know of' });
  soup = await ada.api.sendMessage(kitchen, { text: `${'a long way to it, '.repeat(60)}pumpkin soup <b>now</b>` });
  await bob.api.sendMessage(garden, { text: 'pumpkins grow here' });
  await bob.api.sendMessage(kitchen, { text: 'soup is ready' });
  await bob.api.sendMessage(garden, {
    text: '| fruit | weight |\n| --- | --- |\n| **quince** | 3\\_kg |\n\n[a quince](https://example.org/quince) \\*is\\* no _pear_',
  });
  for (let count = 0; count < 60; count += 1) await ada.api.sendMessage(kitchen, { text: `filler ${count}` });
  await eventually('all of it is indexed', async () => {
    const { hits } = await ada.api.searchMessages({ q: 'filler 59' });
    return hits.length === 1;
  });
});

const box = 'Search messages';

describe('the search page', () => {
  it('finds by `/` from anywhere what one may read and nothing else, and leads to it in its room, marked', async () => {
    const page = await house.enter('bob', `/r/${garden}`);
    await message(page, 'pumpkins grow').waitFor();
    await page.locator('[data-timeline]').focus();
    await page.keyboard.press('/');
    await page.getByLabel(box).pressSequentially('soup');
    const hits = page.locator('[data-hit]');
    await hits.first().waitFor();
    expect(await hits.count()).toBe(2);
    expect(await hits.allTextContents()).not.toContain('nobody may know');
    // An excerpt around what matched, as plain text.
    const found = hits.filter({ hasText: 'pumpkin' });
    expect(await found.locator('mark').allTextContents()).toEqual(['soup']);
    expect(await found.textContent()).toContain('soup <b>now</b>');
    expect((await found.textContent())?.length).toBeLessThan(500);
    expect(await found.locator('b').count()).toBe(1);
    // By keys alone: down to the second, and into the room.
    await page.getByLabel(box).press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.waitForURL(`**/r/${kitchen}/${soup.seq}`);
    await page.locator(`[data-seq="${soup.seq}"][data-found]`).waitFor();
    // The way back is the search as it was.
    await page.goBack();
    await hits.first().waitFor();
    expect(await page.getByLabel(box).inputValue()).toBe('soup');
  });

  it('shows in words what a message says, without its marks: lines of a table, too', async () => {
    const page = await house.enter('bob', '/search?q=quince');
    const hit = page.locator('[data-hit]');
    await hit.waitFor();
    expect(await hit.textContent()).toContain('fruit weight, quince 3_kg a quince *is* no pear');
    expect(await hit.locator('mark').allTextContents()).toEqual(['quince', 'quince']);
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox').fill('quince');
    const found = page.getByRole('option').filter({ has: page.locator('mark') });
    await found.waitFor();
    expect(await found.textContent()).not.toMatch(/[|\\]/);
    // What matched stands before the end of the line, wherever in the text it is, and be it in a long word.
    await page.getByRole('combobox').fill('pear');
    await expect.poll(() => found.locator('mark').allTextContents(), { timeout: 15_000 }).toEqual(['pear']);
    const [line, mark] = [await found.boundingBox(), await found.locator('mark').boundingBox()];
    expect((mark?.x ?? 0) + (mark?.width ?? 0)).toBeLessThan((line?.x ?? 0) + (line?.width ?? 0) * 0.6);
  });

  it('shows the marks, where what was looked for stands in them alone', async () => {
    const page = await house.enter('bob', '/search?q=example');
    const hit = page.locator('[data-hit]');
    await hit.waitFor();
    expect(await hit.locator('mark').allTextContents()).toEqual(['example']);
  });

  it('leaves out what the filters say, and has them in the address', async () => {
    const page = await house.enter('bob', '/search?q=pumpkin&mode=substring');
    const hits = page.locator('[data-hit]');
    await hits.nth(1).waitFor();
    await page.getByRole('button', { name: 'From', exact: true }).click();
    await page.getByRole('dialog', { name: 'From' }).getByRole('button', { name: 'Me', exact: true }).click();
    await page.waitForURL(`**/search?q=pumpkin&from=${bob.id}&mode=substring`);
    await eventually('one is left', async () => (await hits.count()) === 1);
    expect(await hits.textContent()).toContain('pumpkins grow here');

    await page.getByRole('button', { name: 'Clear filters' }).click();
    await page.getByRole('button', { name: 'In', exact: true }).click();
    await page.getByRole('dialog', { name: 'In' }).getByLabel('Find a room').fill('kit');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'In: kitchen' }).waitFor();
    await eventually('only the kitchen', async () => (await hits.allTextContents()).join().includes('soup <b>'));
    expect(await hits.count()).toBe(1);

    await page.getByRole('button', { name: 'When', exact: true }).click();
    await page.getByLabel('On this day or later').fill('2099-01-01');
    await page.getByText('Nothing found for “pumpkin”').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('main').getByRole('button', { name: 'Clear filters' }).last().click();
    await hits.first().waitFor();
    expect(new URL(page.url()).search).toBe('?q=pumpkin');
  });

  it('says how it matched where that was not by whole words', async () => {
    const page = await house.enter('bob', '/search?q=pumpkni');
    await page.getByText('spelt nearly so').waitFor();
    await page.getByLabel(box).fill('umpki');
    await page.getByText('found as a part of a word').waitFor();
  });

  it('shows more where there is more, each once', async () => {
    const page = await house.enter('ada', `/search?q=filler&in=${kitchen}`);
    const hits = page.locator('[data-hit]');
    await hits.first().waitFor();
    const more = page.getByRole('button', { name: 'Show more' });
    while ((await more.count()) > 0) {
      const before = await hits.count();
      await more.click();
      await eventually('there are more, or no more', async () => {
        return (await hits.count()) > before || (await more.count()) === 0;
      });
    }
    const texts = await page.locator('[data-hit] > span:last-child').allTextContents();
    expect(new Set(texts).size).toBe(60);
    await page.getByText('60 messages', { exact: true }).waitFor();
  });

  it('says so when the server can’t be asked, and tries again', async () => {
    const page = await house.enter('bob', '/search');
    await page.getByRole('heading', { name: 'Search all that you can read' }).waitFor();
    house.cut();
    await page.getByLabel(box).fill('soup');
    await page.getByRole('heading', { name: 'The search did not work' }).waitFor();
    house.mend();
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.locator('[data-hit]').first().waitFor();
  });

  it('searches in the room that one is in, by its button or Ctrl+Shift+F', async () => {
    const page = await house.enter('bob', `/r/${garden}`);
    await page.getByRole('link', { name: 'Search in this room' }).click();
    await page.waitForURL(`**/search?in=${garden}`);
    await page.goBack();
    await message(page, 'pumpkins grow').waitFor();
    await page.keyboard.press('Control+Shift+F');
    await page.waitForURL(`**/search?in=${garden}`);
    await page.getByRole('button', { name: 'In: garden' }).waitFor();
  });
});
