/** Two and three people in one room, each in a browser of their own. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { composer, eventually, House, message, type Person, say, shown } from './house.js';

let house: House;
let ada: Person;
let bob: Person;
let cleo: Person;
beforeAll(async () => {
  house = await House.open();
  [ada, bob, cleo] = [
    await house.join('ada', 'Ada Lovelace'),
    await house.join('bob', 'Bob Ross'),
    await house.join('cleo', 'Cleo Adams'),
  ];
});
afterEach(() => house.leave());
afterAll(async () => {
  expect(house.complaints).toEqual([]);
  await house.close();
});

const makeRoom = (name: string) => ada.api.createRoom({ kind: 'channel', name, members: [bob.id, cleo.id] });

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
    await entry.click();
    await message(page, 'two, @bob').waitFor();
    await page.locator('[data-key="new"]').waitFor();
    await eventually(
      'it counts as read',
      async () => ((await bob.api.room(loud.id)) as { unread: number }).unread === 0,
    );
    await page.waitForFunction(() => document.title.startsWith('loud'));
    // The line stays where it was.
    expect(await page.locator('[data-key="new"] + li').textContent()).toContain('one');
  });

  it('edits, answers, reacts and deletes, and everybody sees it', async () => {
    const room = await makeRoom('changes');
    const [page, other] = [await house.enter('ada', `/r/${room.id}`), await house.enter('bob', `/r/${room.id}`)];
    await say(page, 'teh first');
    await message(other, 'teh first').waitFor();
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
