/** Two and three people in one room, each in a browser of their own. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { composer, eventually, message, openHouse, say, sentMessage, shown } from './house.js';

const house = openHouse();
const ada = house.resident('ada', 'Ada Lovelace');
const bob = house.resident('bob', 'Bob Ross');
const cleo = house.resident('cleo', 'Cleo Adams');

const makeRoom = (name: string) => ada.api.createRoom({ kind: 'channel', name, members: [bob.id, cleo.id] });

/** Pixels of a picture that are as red as a badge. */
function redOf(page: Page, picture: string): Promise<number> {
  return page.evaluate(async (url) => {
    const image = new Image();
    image.src = url;
    await image.decode();
    const { width, height } = image;
    const pen = Object.assign(document.createElement('canvas'), { width, height }).getContext('2d');
    pen?.drawImage(image, 0, 0);
    const { data = [] } = pen?.getImageData(0, 0, width, height) ?? {};
    let red = 0;
    for (let at = 0; at < data.length; at += 4) {
      if ((data[at] ?? 0) > 150 && (data[at + 1] ?? 0) < 80 && (data[at + 3] ?? 0) > 200) red += 1;
    }
    return red;
  }, picture);
}

describe('talking', () => {
  it('[L1] three people see the same messages in the same order, whoever writes', async () => {
    const room = await makeRoom('three');
    const pages = [];
    for (const name of ['ada', 'bob', 'cleo']) pages.push(await house.enter(name, `/r/${room.id}`));
    for (let turn = 0; turn < 4; turn += 1) {
      await Promise.all(pages.map((page, index) => say(page, `turn ${turn} of person ${index}`)));
    }
    for (const page of pages) await eventually('all are there', async () => (await shown(page)).length === 12);
    const [first, ...others] = await Promise.all(pages.map(shown));
    expect(new Set(first).size).toBe(12);
    for (const other of others) expect(other).toEqual(first);
  });

  it('makes a channel and a direct room from the list, and drafts stay with their room', async () => {
    const page = await house.enter('ada');
    await page.getByRole('button', { name: 'New room' }).first().click();
    await page.getByLabel('Name', { exact: true }).fill('garden');
    await page.getByRole('searchbox', { name: 'People' }).fill('bob');
    await page.getByRole('button', { name: /Bob Ross/ }).click();
    await page.getByRole('button', { name: 'Create' }).click();
    await page.getByRole('heading', { name: 'garden', exact: true }).waitFor();
    await composer(page).fill('a draft for the garden');
    await page.getByRole('button', { name: 'New direct message' }).click();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: /Cleo Adams/ })
      .click();
    await page.getByRole('heading', { name: 'Cleo Adams', exact: true }).waitFor();
    expect(await composer(page).inputValue()).toBe('');
    await say(page, 'hello, Cleo');
    await page.getByRole('link', { name: 'garden' }).click();
    await page.getByRole('heading', { name: 'garden', exact: true }).waitFor();
    expect(await composer(page).inputValue()).toBe('a draft for the garden');
    await page.reload();
    await composer(page).waitFor();
    expect(await composer(page).inputValue()).toBe('a draft for the garden');
  });

  it('[M1] counts what is unread and what calls me, in list and title, until I look', async () => {
    const [quiet, loud] = [await makeRoom('quiet'), await makeRoom('loud')];
    const page = await house.enter('bob', `/r/${quiet.id}`);
    await page.getByRole('heading', { name: 'quiet', exact: true }).waitFor();
    await ada.api.sendMessage(loud.id, { text: 'one' });
    await ada.api.sendMessage(loud.id, { text: 'two, @bob' });
    const entry = page.locator(`[data-room="${loud.id}"]`);
    await entry.filter({ hasText: '1 mention' }).waitFor();
    await page.waitForFunction(() => document.title.startsWith('(1) quiet'));
    const icon = page.locator('link[rel="icon"]');
    // Drawn on the icon, and another picture for another count.
    await page.waitForFunction(() => document.querySelector('link[rel="icon"][href^="data:image/png"]'));
    const one = await icon.getAttribute('href');
    expect(await redOf(page, one ?? '')).toBeGreaterThan(100);
    await ada.api.sendMessage(loud.id, { text: 'three, @bob' });
    await page.waitForFunction(() => document.title.startsWith('(2) quiet'));
    await eventually('the icon follows', async () => (await icon.getAttribute('href')) !== one);
    // Another device has the same.
    const other = await house.enter('bob', `/r/${quiet.id}`);
    await other.waitForFunction(() => document.title.startsWith('(2) quiet'));
    await eventually(
      'its icon is the same',
      async () => (await other.locator('link[rel="icon"]').getAttribute('href')) === (await icon.getAttribute('href')),
    );
    await entry.click();
    await message(page, 'two, @bob').waitFor();
    await page.locator('[data-key="new"]').waitFor();
    await eventually(
      'it counts as read',
      async () => ((await bob.api.room(loud.id)) as { unread: number }).unread === 0,
    );
    await page.waitForFunction(() => document.title.startsWith('loud'));
    for (const device of [page, other]) {
      await device.locator('link[rel="icon"][href="/favicon.ico"]').waitFor({ state: 'attached' });
    }
    // The line stays where it was.
    expect(await page.locator('[data-key="new"] + li').textContent()).toContain('one');
  });

  it('edits, answers, reacts and deletes, and everybody sees it', async () => {
    const room = await makeRoom('changes');
    const [page, other] = [await house.enter('ada', `/r/${room.id}`), await house.enter('bob', `/r/${room.id}`)];
    await say(page, 'teh first');
    await message(other, 'teh first').waitFor();
    await sentMessage(page, 'teh first').waitFor();
    await composer(page).press('ArrowUp');
    await page.getByLabel('Edit message').fill('the first');
    await page.getByLabel('Edit message').press('Enter');
    await message(other, 'the first').filter({ hasText: 'edited' }).waitFor();

    await message(other, 'the first').hover();
    await other.getByRole('button', { name: 'Reply' }).click();
    await say(other, 'an answer');
    const answer = message(page, 'an answer');
    await answer.getByRole('button', { name: 'In reply to Ada Lovelace' }).waitFor();

    await answer.hover();
    await page.getByRole('button', { name: 'React 👍' }).click();
    const reaction = message(other, 'an answer').getByRole('button', { name: '👍 1 by Ada Lovelace' });
    await reaction.waitFor();
    await reaction.click();
    await message(page, 'an answer')
      .getByRole('button', { name: '👍 2 by Ada Lovelace, Bob Ross', pressed: true })
      .waitFor();

    await message(other, 'an answer').hover();
    expect(await other.getByRole('button', { name: 'Edit', exact: true }).count()).toBe(1);
    await other.getByRole('button', { name: 'More', exact: true }).click();
    await other.getByRole('menuitem', { name: 'Delete' }).click();
    await other.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await message(page, 'This message was deleted').waitFor();
    expect(await page.content()).not.toContain('an answer');
  });

  it('shows how far my newest message is: on its way, in the log, read', async () => {
    const room = await makeRoom('receipts');
    const page = await house.enter('ada', `/r/${room.id}`);
    await composer(page).waitFor();
    house.hold();
    await say(page, 'is **anybody** there?');
    // At once as it will be.
    await message(page, 'is anybody there?').getByRole('strong').waitFor();
    await message(page, 'is anybody there?').getByText('Sending').waitFor({ state: 'attached' });
    house.release();
    const receipt = page.locator('[data-receipt]');
    await message(page, 'is anybody there?').locator('[data-receipt="sent"]').waitFor();
    expect(await receipt.textContent()).toBe('Sent');
    const sent = await receipt.locator('svg').innerHTML();
    const other = await house.enter('bob', `/r/${room.id}`);
    await message(other, 'is anybody there?').waitFor();
    // Another's message has none.
    expect(await other.locator('[data-receipt]').count()).toBe(0);
    await composer(other).pressSequentially('y');
    await message(page, 'is anybody there?').locator('[data-receipt="read"]').waitFor();
    expect(await receipt.textContent()).toBe('Read');
    expect(await receipt.locator('svg').innerHTML()).not.toBe(sent);
    await say(page, 'and once more');
    await message(page, 'and once more').locator('[data-receipt]').waitFor();
    expect(await receipt.count()).toBe(1);
  });

  it('shows what I send within one frame of the key, as it will be, while nothing comes through', async () => {
    const room = await makeRoom('at-once');
    const page = await house.enter('ada', `/r/${room.id}`);
    await composer(page).waitFor();
    house.hold();
    await composer(page).fill('is **this** quick?');
    await page.evaluate(() => {
      const look = () => document.querySelector('[data-pending] strong')?.textContent ?? '';
      addEventListener(
        'keydown',
        ({ key }) => {
          if (key === 'Enter') requestAnimationFrame(() => Object.assign(globalThis, { seen: look() }));
        },
        { capture: true, once: true },
      );
    });
    await composer(page).press('Enter');
    await page.waitForFunction(() => 'seen' in globalThis);
    expect(await page.evaluate(() => (globalThis as unknown as { seen: string }).seen)).toBe('this');
  });

  it('shows who is typing and who is here', async () => {
    const dan = await house.join('dan', 'Dan Brown');
    const { id } = await ada.api.openDirect(dan.id);
    const page = await house.enter('ada', `/r/${id}`);
    const main = page.getByRole('main');
    await main.getByText('offline').first().waitFor({ state: 'attached' });
    const other = await house.enter('dan', `/r/${id}`);
    await main.getByText('online', { exact: true }).first().waitFor({ state: 'attached' });
    await composer(other).pressSequentially('hel');
    await page.getByText('Dan Brown is typing').waitFor();
    await composer(other).fill('');
    await page.getByText('Dan Brown is typing').waitFor({ state: 'detached' });
  });

  it('shows markdown as it is meant, and never as anything that runs', async () => {
    const room = await makeRoom('safe');
    const page = await house.enter('ada', `/r/${room.id}`);
    await bob.api.sendMessage(room.id, {
      text: '**bold** <img src=x onerror="document.title=\'hacked\'"> [click](javascript:alert(1)) https://example.org/a_(b).',
    });
    const row = message(page, 'bold');
    await row.getByRole('strong').waitFor();
    expect(await row.locator('img, script').count()).toBe(0);
    const links = await row.getByRole('link').evaluateAll((found) => found.map((one) => one.getAttribute('href')));
    expect(links).toEqual(['https://example.org/a_(b)']);
    expect(await row.textContent()).toContain('<img src=x');
  });
});
