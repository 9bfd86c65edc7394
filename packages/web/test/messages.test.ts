/** What is done to one message: by bar, menu and key; who has read it, what it said before, what is pinned. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { composer, eventually, logInAt, message, openHouse, say } from './house.js';

const house = openHouse();
const ada = house.resident('ada', 'Ada Lovelace');
const bob = house.resident('bob', 'Bob Ross');

const makeRoom = (name: string) => ada.api.createRoom({ kind: 'channel', name, members: [bob.id] });

async function choose(page: Page, text: string, entry: string): Promise<void> {
  await message(page, text).click({ button: 'right' });
  await page.getByRole('menuitem', { name: entry, exact: true }).click();
}

/** The focus on a message, as a person without a mouse comes there. */
async function focus(page: Page, text: string): Promise<void> {
  await page.locator('[data-timeline] li[tabindex="0"]').focus();
  // Tab leads to where the focus was last: from there down to the newest, and up again.
  for (let step = 0; step < 20; step += 1) {
    if ((await page.locator('[data-timeline] li:focus', { hasText: text }).count()) > 0) return;
    await page.keyboard.press(step < 8 ? 'ArrowDown' : 'ArrowUp');
  }
  throw new Error(`the arrows do not lead to "${text}"`);
}

describe('a message', () => {
  it('says who has read it, and what it said before', async () => {
    const room = await makeRoom('readers');
    const { id } = await ada.api.sendMessage(room.id, { text: 'the frist version' });
    await ada.api.editMessage(id, 'the first version');
    const page = await house.enter('ada', `/r/${room.id}`);
    await choose(page, 'the first version', 'Read by');
    await page.getByRole('dialog').getByText('Nobody has read it yet').waitFor();
    await page.keyboard.press('Escape');
    await bob.api.moveRead(room.id, (await bob.api.messages(room.id, { limit: 1 })).head);
    await choose(page, 'the first version', 'Read by');
    await page.getByRole('dialog').getByText('Bob Ross').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: '(edited)' }).click();
    const versions = page.getByRole('dialog', { name: 'Edit history' }).getByRole('listitem');
    await versions.first().waitFor();
    expect(await versions.locator('[data-text]').allTextContents()).toEqual(['the first version', 'the frist version']);
    await page.keyboard.press('Escape');
    // Not mine: nobody else's readers are shown to me.
    const other = await house.enter('bob', `/r/${room.id}`);
    await message(other, 'the first version').click({ button: 'right' });
    await other.getByRole('menuitem', { name: 'Edit history' }).waitFor();
    expect(await other.getByRole('menuitem', { name: 'Read by' }).count()).toBe(0);
    expect(await other.getByRole('menuitem', { name: 'Edit', exact: true }).count()).toBe(0);
  });

  it('has its bar in sight wherever it stands: whole, and every button of it can be pressed', async () => {
    const room = await makeRoom('many');
    for (let count = 0; count < 40; count += 1) await ada.api.sendMessage(room.id, { text: `one of many, ${count}` });
    const page = await house.enter('ada', `/r/${room.id}`);
    await message(page, 'one of many, 39').waitFor();
    /** How far the bar stands below the upper edge, with so many pixels of the row `count` in sight under it; -1: covered. */
    const bar = async (count: number, inSight: number): Promise<number> => {
      const at = await message(page, `one of many, ${count}`).evaluate((row, wanted) => {
        const scroller = row.closest('[data-timeline]') as HTMLElement;
        const { top } = scroller.getBoundingClientRect();
        scroller.scrollBy(0, row.getBoundingClientRect().bottom - top - wanted);
        const { left, bottom } = row.getBoundingClientRect();
        return { x: left + 100, y: bottom - 2 };
      }, inSight);
      await page.mouse.move(at.x, at.y - 1);
      await page.mouse.move(at.x, at.y);
      const toolbar = message(page, `one of many, ${count}`).getByRole('toolbar');
      await toolbar.waitFor();
      return toolbar.evaluate((element) => {
        const edge = (element.closest('[data-timeline]') as HTMLElement).getBoundingClientRect().top;
        const buttons = [...element.querySelectorAll('button')].map((button) => ({
          button,
          ...button.getBoundingClientRect().toJSON(),
        }));
        const free = buttons.every(({ button, left, right, top, bottom }) =>
          [top + 1, bottom - 1].every((y) => button.contains(document.elementFromPoint((left + right) / 2, y))),
        );
        return free ? element.getBoundingClientRect().top - edge : -1;
      });
    };
    for (const inSight of [4, 12, 28, 40, 90]) expect(await bar(5, inSight)).toBeGreaterThanOrEqual(0);
    // The last one is not longer for its bar.
    const length = await page.locator('[data-timeline]').evaluate((scroller) => scroller.scrollHeight);
    await page.locator('[data-timeline]').evaluate((scroller) => scroller.scrollTo(0, scroller.scrollHeight));
    await message(page, 'one of many, 39').hover();
    await message(page, 'one of many, 39').getByRole('toolbar').waitFor();
    expect(await page.locator('[data-timeline]').evaluate((scroller) => scroller.scrollHeight)).toBe(length);
  });

  it('is pinned and found again among the pins, which lead to it', async () => {
    const room = await makeRoom('pins');
    await ada.api.sendMessage(room.id, { text: 'the **key** is under the mat' });
    const page = await house.enter('ada', `/r/${room.id}`);
    const other = await house.enter('bob', `/r/${room.id}`);
    await other.getByRole('button', { name: 'Members and details' }).click();
    await other.getByRole('tab', { name: 'Pinned' }).click();
    await other.getByText('Nothing is pinned here').waitFor();
    await choose(page, 'under the mat', 'Pin');
    const pin = other.getByRole('tabpanel').getByRole('button', { name: /the key is under the mat/ });
    await pin.click();
    await other.locator('[data-timeline] [data-found]', { hasText: 'under the mat' }).waitFor();
    await choose(page, 'under the mat', 'Unpin');
    await pin.waitFor({ state: 'detached' });
  });

  it('does all of it by key, and the focus comes back to it', async () => {
    const room = await makeRoom('keys');
    for (const text of ['one', 'two', 'three']) await ada.api.sendMessage(room.id, { text });
    const page = await house.enter('ada', `/r/${room.id}`);
    const other = await house.enter('bob', `/r/${room.id}`);
    await message(other, 'three').waitFor();
    await focus(page, 'two');

    await page.keyboard.press('Enter');
    await page.getByRole('menu', { name: 'Message actions' }).waitFor();
    await page.keyboard.press('Escape');
    await page.locator('[data-timeline] li:focus', { hasText: 'two' }).waitFor();

    await page.keyboard.press('e');
    await page.getByLabel('Edit message').fill('two and a half');
    await page.keyboard.press('Enter');
    await message(other, 'two and a half').waitFor();

    await focus(page, 'two and a half');
    await page.keyboard.press('a');
    await page.getByLabel('Find an emoji').fill('tada');
    await page.getByRole('region', { name: 'Found' }).getByRole('button').first().waitFor();
    await page.keyboard.press('Enter');
    await message(other, 'two and a half').getByRole('button', { name: /🎉 1/ }).waitFor();

    await focus(page, 'two and a half');
    await page.keyboard.press('p');
    await message(other, 'two and a half').getByText('pinned').waitFor();

    await page.keyboard.press('r');
    await page.getByText('Replying to Ada Lovelace').waitFor();
    await eventually('one writes', () => composer(page).evaluate((box) => box === document.activeElement));
    await say(page, 'an answer by key');
    await message(other, 'an answer by key').getByRole('button', { name: 'In reply to Ada Lovelace' }).waitFor();

    await focus(page, 'one');
    await page.keyboard.press('Delete');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await message(other, 'This message was deleted').waitFor();
    await focus(page, 'three');
    await page.keyboard.press('Escape');
    expect(await composer(page).evaluate((box) => box === document.activeElement)).toBe(true);
  });

  it.each(['bar', 'menu', 'key'] as const)(
    'is answered, read as a thread, reacted to, edited, pinned, linked to and deleted by %s',
    async (way) => {
      const room = await makeRoom(`ways-${way}`);
      const { seq } = await ada.api.sendMessage(room.id, { text: 'to act on' });
      const context = await house.device({ permissions: ['clipboard-read', 'clipboard-write'] });
      const page = await house.admit(context, 'ada');
      await page.goto(`${house.url}/r/${room.id}`);
      const row = page.locator(`[data-timeline] [data-seq="${seq}"]`);
      await row.waitFor();
      /** `own`: it has a button of the bar to itself; the others are behind “More”. */
      const act = async (name: string, key: string, own: boolean) => {
        if (way === 'key') {
          await focus(page, 'to act on');
          await page.keyboard.press(key);
          return;
        }
        if (way === 'menu') await row.click({ button: 'right' });
        else {
          await row.hover();
          await row
            .getByRole('toolbar')
            .getByRole('button', { name: own ? name : 'More', exact: true })
            .click();
          if (own) return;
        }
        await page.getByRole('menuitem', { name, exact: true }).click();
      };
      await act('Reply', 'r', true);
      await page.getByText('Replying to Ada Lovelace').waitFor();
      await composer(page).press('Escape');
      await act('Open thread', 't', true);
      await page.getByRole('complementary', { name: /^Thread in/ }).waitFor();
      await page.getByRole('complementary').getByRole('button', { name: 'Close' }).click();
      await act('React with an emoji', 'a', true);
      await page.getByLabel('Find an emoji').fill('tada');
      await page.getByRole('region', { name: 'Found' }).getByRole('button').first().click();
      await row.getByRole('button', { name: /🎉 1/ }).waitFor();
      await act('Edit', 'e', true);
      await page.getByLabel('Edit message').fill('to act on, edited');
      await page.keyboard.press('Enter');
      await row.getByText('to act on, edited').waitFor();
      await act('Pin', 'p', false);
      await row.getByText('pinned').waitFor();
      await act('Copy link', 'l', false);
      await eventually('the link is copied', async () =>
        (await page.evaluate(() => navigator.clipboard.readText())).endsWith(`/r/${room.id}/${seq}`),
      );
      await act('Mark unread from here', 'u', false);
      await eventually('it is unread', async () => {
        const mine = (await ada.api.rooms()).rooms.find(({ id }) => id === room.id);
        return mine?.unreadFrom === seq;
      });
      await act('Delete', 'Delete', false);
      await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
      await row.getByText('This message was deleted').waitFor();
    },
  );

  it('has a key for all that its menu offers, which the sheet of keys names, and does it', async () => {
    const room = await makeRoom('every-key');
    const { id } = await ada.api.sendMessage(room.id, { text: 'mine, frist' });
    await ada.api.editMessage(id, 'mine, first');
    await bob.api.sendMessage(room.id, { text: 'of another' });
    const context = await house.device({ permissions: ['clipboard-read', 'clipboard-write'] });
    const page = await house.admit(context, 'ada');
    await page.goto(`${house.url}/r/${room.id}`);
    const offered = new Map<string, string>();
    for (const text of ['mine, first', 'of another']) {
      await message(page, text).click({ button: 'right' });
      await page.getByRole('menuitem').first().waitFor();
      for (const entry of await page.getByRole('menuitem').all()) {
        offered.set(
          (await entry.locator('span').textContent()) ?? '',
          (await entry.locator('kbd').textContent()) ?? '',
        );
      }
      await page.keyboard.press('Escape');
      await page.getByRole('menu').waitFor({ state: 'detached' });
    }
    await page.locator('[data-timeline]').focus();
    await page.keyboard.press('?');
    const part = page.getByRole('dialog', { name: 'Keys' }).getByRole('region', { name: 'At a message' });
    await part.waitFor();
    const named = new Map<string, string>();
    for (const line of await part.locator('dl > div').all()) {
      named.set(
        (await line.locator('dt').textContent()) ?? '',
        (await line.locator('kbd').first().textContent()) ?? '',
      );
    }
    expect(offered.size).toBe(12);
    for (const [entry, key] of offered) expect([entry, named.get(entry)]).toEqual([entry, key]);
    await page.keyboard.press('Escape');

    await focus(page, 'mine, first');
    await page.keyboard.press('c');
    await eventually('the text is copied', async () => {
      return (await page.evaluate(() => navigator.clipboard.readText())) === 'mine, first';
    });
    for (const [key, title] of [
      ['h', 'Edit history'],
      ['v', 'Read by'],
      ['g', 'Jump to a date'],
    ] as const) {
      await page.keyboard.press(key);
      await page.getByRole('dialog', { name: title }).waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await focus(page, 'mine, first');
    }
    await focus(page, 'of another');
    // Who has read another's message, and what it never said before, is not shown by key either.
    await page.keyboard.press('v');
    await page.keyboard.press('h');
    expect(await page.getByRole('dialog').count()).toBe(0);
    await page.keyboard.press('w');
    await page.getByRole('heading', { name: 'Bob Ross', exact: true }).waitFor();
  });

  it('says why its author can’t be written to, and leads there when one tries again', async () => {
    const { id, api } = await house.join('finn', 'Finn Berg');
    const room = await ada.api.createRoom({ kind: 'channel', name: 'farewell', members: [id] });
    await api.sendMessage(room.id, { text: 'gone fishing' });
    await ada.api.setUserActive(id, false);
    const page = await house.enter('ada', `/r/${room.id}`);
    await focus(page, 'gone fishing');
    await page.keyboard.press('w');
    const dialog = page.getByRole('dialog', { name: 'Write to the author' });
    await dialog.getByRole('alert').waitFor();
    await ada.api.setUserActive(id, true);
    await dialog.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('heading', { name: 'Finn Berg', exact: true }).waitFor();
    await dialog.waitFor({ state: 'detached' });
  });

  it('gives a link that leads others to it', async () => {
    const room = await makeRoom('links');
    const { seq } = await ada.api.sendMessage(room.id, { text: 'worth a link' });
    const context = await house.device({ permissions: ['clipboard-read', 'clipboard-write'] });
    const page = await context.newPage();
    await page.goto(`${house.url}/r/${room.id}`);
    await logInAt(page, 'ada');
    await choose(page, 'worth a link', 'Copy link');
    const link = await page.evaluate(() => navigator.clipboard.readText());
    expect(new URL(link).pathname).toBe(`/r/${room.id}/${seq}`);
    const other = await house.enter('bob', new URL(link).pathname);
    await other.locator('[data-found]', { hasText: 'worth a link' }).waitFor();
  });
});

describe('writing', () => {
  it('completes people, rooms and emoji, by key', async () => {
    const room = await makeRoom('completing');
    await ada.api.createRoom({ kind: 'channel', name: 'orchard', visibility: 'public' });
    const page = await house.enter('ada', `/r/${room.id}`);
    await page.getByRole('link', { name: 'orchard' }).waitFor();
    const box = composer(page);
    await box.pressSequentially('ask @bo');
    await page.getByRole('option', { name: /Bob Ross/ }).waitFor();
    await box.press('Enter');
    await box.pressSequentially('in #orch');
    await page.getByRole('option', { name: /orchard/ }).waitFor();
    await box.press('Tab');
    await box.pressSequentially(':tad');
    await page.getByRole('option', { name: ':tada:' }).waitFor();
    await box.press('Enter');
    expect(await box.inputValue()).toBe('ask @bob in #orchard 🎉 ');
    // Closed by Escape, Enter sends what was written.
    await box.pressSequentially('@bo');
    await page.getByRole('option').first().waitFor();
    await box.press('Escape');
    await page.getByRole('option').first().waitFor({ state: 'detached' });
    await box.press('Enter');
    await message(page, 'ask @bob in #orchard 🎉 @bo').waitFor();
  });

  it('[M4] completes those who are in the room before all others, and says who is not', async () => {
    const inside = await house.join('zeno_in', 'Zeno Inside');
    await house.join('zeno', 'Zeno Outside');
    const room = await ada.api.createRoom({ kind: 'group', name: 'zenos', members: [inside.id] });
    const page = await house.enter('ada', `/r/${room.id}`);
    const texts = () => page.getByRole('option').allTextContents();
    await composer(page).pressSequentially('@zeno');
    await page.getByRole('option', { name: /Zeno Outside/ }).waitFor();
    expect(await texts()).toEqual(['ZIZeno Inside@zeno_in', 'ZOZeno Outside@zenoNot in this room']);
    await composer(page).press('Enter');
    expect(await composer(page).inputValue()).toBe('@zeno_in ');
    // Without a letter, too.
    await composer(page).fill('');
    await composer(page).pressSequentially('@');
    await page.getByRole('option', { name: /Zeno Inside/ }).waitFor();
    expect((await texts())[0]).toBe('ZIZeno Inside@zeno_in');
  });

  it('[M4] completes a user group, shows its name as a call, and counts it for those of it who are in the room', async () => {
    const cleo = await house.join('cleo', 'Cleo Adams');
    const dan = await house.join('dan', 'Dan Brown');
    const room = await ada.api.createRoom({ kind: 'channel', name: 'grouped', members: [bob.id, cleo.id] });
    const other = await ada.api.createRoom({ kind: 'channel', name: 'apart', members: [bob.id, cleo.id] });
    await ada.api.createUsergroup({ name: 'cooks', description: 'Ask them what to eat', members: [bob.id, dan.id] });
    await ada.api.createUsergroup({ name: 'cookies', members: [] });
    const pages = {
      ada: await house.enter('ada', `/r/${room.id}`),
      bob: await house.enter('bob', `/r/${other.id}`),
      cleo: await house.enter('cleo', `/r/${other.id}`),
    };
    await composer(pages.ada).pressSequentially('what is for lunch, @coo');
    const option = pages.ada.getByRole('option', { name: /@cooks/ });
    await option.waitFor();
    expect(await option.textContent()).toContain('Ask them what to eat');
    // One that nobody is in calls nobody.
    expect(await pages.ada.getByRole('option').count()).toBe(1);
    await composer(pages.ada).press('Enter');
    await composer(pages.ada).press('Enter');
    await message(pages.ada, 'what is for lunch').locator('[title="Ask them what to eat"]').waitFor();

    const entry = (page: Page) => page.locator(`[data-room="${room.id}"]`);
    await entry(pages.bob).getByText('1 mention').waitFor({ state: 'attached' });
    await entry(pages.cleo).getByText('1 unread message').waitFor({ state: 'attached' });
    const rowOf = async ({ api }: typeof ada) => (await api.rooms()).rooms.find(({ id }) => id === room.id);
    expect([(await rowOf(bob))?.mentions, (await rowOf(cleo))?.mentions, await rowOf(dan)]).toEqual([1, 0, undefined]);
    for (const [name, calls] of [
      ['bob', true],
      ['cleo', false],
    ] as const) {
      await entry(pages[name]).click();
      const call = message(pages[name], 'what is for lunch').locator('[title="Ask them what to eat"]');
      await call.waitFor();
      expect(await call.textContent()).toBe('@cooks');
      expect(await call.evaluate((one) => one.hasAttribute('data-me'))).toBe(calls);
    }
    // A name that is nobody's is a word like any other, also beside one that calls.
    await say(pages.ada, 'or @nobody, @bob?');
    const second = message(pages.bob, 'or @nobody, @bob?');
    await second.locator('[data-me]').waitFor();
    expect(await second.locator('[data-text] span').allTextContents()).toEqual(['@bob']);
    // In a direct room there is no group to call.
    const direct = await ada.api.openDirect(bob.id);
    const page = await house.enter('ada', `/r/${direct.id}`);
    await composer(page).pressSequentially('@');
    await page.getByRole('option', { name: /Bob Ross/ }).waitFor();
    await composer(page).pressSequentially('coo');
    await page.getByRole('option', { name: /Bob Ross/ }).waitFor({ state: 'detached' });
    expect(await page.getByRole('option').count()).toBe(0);
  });

  it('completes those of lately first: who spoke here last, rooms that were open last, emoji that were used', async () => {
    const room = await makeRoom('ranking');
    const people = [];
    for (const name of ['mara', 'marc', 'mary']) people.push(await house.join(name));
    await ada.api.addMembers(room.id, { users: people.map(({ id }) => id) });
    await people[1]?.api.sendMessage(room.id, { text: 'the last who spoke' });
    for (const name of ['plot-a', 'plot-b', 'plot-c']) await makeRoom(name);
    const page = await house.enter('ada', `/r/${room.id}`);
    await message(page, 'the last who spoke').waitFor();
    const first = async (written: string) => {
      await composer(page).fill('');
      await composer(page).pressSequentially(written);
      await page.getByRole('option').nth(2).waitFor();
      return page.getByRole('option').first().textContent();
    };
    expect(await first('@mar')).toContain('marc');
    expect(await first('#plot')).toContain('plot-a');
    await page.getByRole('link', { name: 'plot-c' }).click();
    await page.getByRole('heading', { name: 'plot-c', exact: true }).waitFor();
    // Noted when there is time.
    await eventually('it stands first', async () => (await first('#plot'))?.includes('plot-c') === true);
    const before = await first(':smil');
    const second = (await page.getByRole('option').nth(1).textContent()) ?? '';
    await page.getByRole('option').nth(1).click();
    expect(second).not.toBe(before);
    expect(await first(':smil')).toBe(second);
  });

  it('has a picker of emoji with those of lately first, and tones of skin', async () => {
    const room = await makeRoom('emoji');
    const page = await house.enter('ada', `/r/${room.id}`);
    const pick = async (word: string) => {
      await page.getByRole('button', { name: 'Emoji', exact: true }).click();
      await page.getByLabel('Find an emoji').fill(word);
      await page.getByRole('region', { name: 'Found' }).getByRole('button').first().click();
    };
    await pick('rocket');
    expect(await composer(page).inputValue()).toContain('🚀');
    await page.getByRole('button', { name: 'Emoji', exact: true }).click();
    await page.getByRole('region', { name: 'Often used' }).getByRole('button', { name: 'rocket' }).waitFor();
    await page.getByRole('radio', { name: 'Dark', exact: true }).check({ force: true });
    await page.getByLabel('Find an emoji').fill('thumbs up');
    await page.getByRole('region', { name: 'Found' }).getByRole('button').first().click();
    expect(await composer(page).inputValue()).toContain('👍🏿');
  });

  it('shows markdown before it is sent, with code in colours', async () => {
    const room = await makeRoom('preview');
    const page = await house.enter('ada', `/r/${room.id}`);
    await composer(page).fill('**strong**\n\n```js\nconst answer = 42;\n```');
    await page.getByRole('button', { name: 'Show as it will be' }).click();
    await page.getByRole('strong').filter({ hasText: 'strong' }).waitFor();
    await page.getByRole('button', { name: 'Go on writing' }).click();
    // By key as well, and one goes on where one wrote.
    await composer(page).press('Control+Shift+Enter');
    await page.getByRole('region', { name: 'Show as it will be' }).getByRole('strong').waitFor();
    await page.keyboard.press('Control+Shift+Enter');
    await eventually('one writes', () => composer(page).evaluate((box) => box === document.activeElement));
    await composer(page).press('Enter');
    await page.locator('[data-timeline] pre code span').first().waitFor();
    expect(await page.locator('[data-timeline] pre').textContent()).toContain('const answer = 42;');
  });
});
