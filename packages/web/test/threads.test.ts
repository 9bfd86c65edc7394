/** A message and its answers, read as a thread beside the room. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { composer, eventually, message, openHouse, say } from './house.js';

const house = openHouse();
const ada = house.resident('ada', 'Ada Lovelace');
const bob = house.resident('bob', 'Bob Ross');

const makeRoom = (name: string) => ada.api.createRoom({ kind: 'channel', name, members: [bob.id] });
const panel = (page: Page) => page.locator('aside[data-thread]');
const answers = (page: Page) => panel(page).locator('li [data-text]').allTextContents();
const box = (page: Page) => panel(page).getByRole('textbox');

async function openThread(page: Page, text: string): Promise<void> {
  await message(page, text).first().click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'Open thread' }).click();
  await panel(page).waitFor();
}

describe('a thread', () => {
  it('is opened at the count of its answers, holds them alone, and is answered beside the room', async () => {
    const room = await makeRoom('counted');
    const first = await bob.api.sendMessage(room.id, { text: 'what is for lunch?' });
    await ada.api.sendMessage(room.id, { text: 'something else' });
    const answer = await ada.api.sendMessage(room.id, { text: 'soup', replyTo: first.id });
    await bob.api.sendMessage(room.id, { text: 'which one?', replyTo: answer.id });
    const page = await house.enter('ada', `/r/${room.id}`);
    const other = await house.enter('bob', `/r/${room.id}`);
    await message(page, 'what is for lunch?').getByRole('button', { name: '2 replies' }).click();
    await eventually('it is read', async () => (await answers(page)).length === 3);
    expect(await answers(page)).toEqual(['what is for lunch?', 'soup', 'which one?']);
    await panel(page).getByText('2 replies').waitFor();
    // An answer to the first says it by standing here; one to another names it.
    expect(
      await panel(page)
        .getByRole('button', { name: /^In reply to/ })
        .count(),
    ).toBe(1);
    await box(page).fill('**pumpkin**');
    await box(page).press('Enter');
    await message(other, 'pumpkin').getByRole('button', { name: 'In reply to Bob Ross' }).waitFor();
    await message(other, 'what is for lunch?').getByRole('button', { name: '3 replies' }).waitFor();
    await panel(page).getByText('3 replies').waitFor();
    // How far it has come is said here as it is in the room, and of the newest alone.
    const receipts = panel(page).locator('[data-receipt]');
    await panel(page).locator('li', { hasText: 'pumpkin' }).locator('[data-receipt]').waitFor();
    expect(await receipts.count()).toBe(1);
    expect(await box(page).inputValue()).toBe('');
    // What is said in the room is not said in the thread.
    await say(other, 'said beside it');
    await message(page, 'said beside it').waitFor();
    expect(await answers(page)).toEqual(['what is for lunch?', 'soup', 'which one?', 'pumpkin']);
    const { messages } = await bob.api.thread(first.id);
    expect(messages.map(({ text }) => text)).toEqual(['soup', 'which one?', '**pumpkin**']);
  });

  it('follows what others answer, edit, react and delete, and what was missed', async () => {
    const room = await makeRoom('followed');
    const first = await ada.api.sendMessage(room.id, { text: 'the beginning' });
    const page = await house.enter('ada', `/r/${room.id}`);
    await openThread(page, 'the beginning');
    await panel(page).getByText('Nobody has answered yet').waitFor();
    const answer = await bob.api.sendMessage(room.id, { text: 'teh answer', replyTo: first.id });
    const row = (text: string) => panel(page).locator('li', { hasText: text });
    await row('teh answer').waitFor();
    await bob.api.editMessage(answer.id ?? 0, 'the answer');
    await row('the answer').filter({ hasText: 'edited' }).waitFor();
    await bob.api.react(answer.id ?? 0, '🎉');
    await row('the answer').getByRole('button', { name: /🎉 1/ }).waitFor();
    house.cut();
    await bob.api.sendMessage(room.id, { text: 'while it was cut', replyTo: answer.id });
    await box(page).fill('written meanwhile');
    await box(page).press('Enter');
    await row('written meanwhile').waitFor();
    house.mend();
    await row('while it was cut').waitFor();
    await eventually('it is sent', async () => (await page.locator('[data-pending]').count()) === 0);
    expect(await answers(page)).toEqual([
      'the beginning',
      'the answer(edited)',
      'while it was cut',
      'written meanwhile',
    ]);
    await bob.api.deleteMessage(answer.id ?? 0);
    await row('This message was deleted').waitFor();
    expect(await panel(page).textContent()).not.toContain('the answer');
  });

  it('does by key, bar and menu what a room does, and gives the focus back', async () => {
    const room = await makeRoom('by key');
    const first = await ada.api.sendMessage(room.id, { text: 'first of all' });
    await bob.api.sendMessage(room.id, { text: 'an answer', replyTo: first.id });
    const page = await house.enter('ada', `/r/${room.id}`);
    await message(page, 'first of all').first().focus();
    await page.keyboard.press('t');
    await panel(page).waitFor();
    const isFocused = () => box(page).evaluate((one) => one === document.activeElement);
    await eventually('one writes in the thread', isFocused);
    await box(page).fill('mine');
    await box(page).press('Enter');
    const mine = panel(page).locator('li[data-seq]', { hasText: 'mine' });
    await mine.waitFor();
    // The last one is edited from the empty box, and nothing of it is in the room's own.
    await box(page).press('ArrowUp');
    await panel(page).getByLabel('Edit message').fill('mine, edited');
    await page.keyboard.press('Enter');
    await message(page, 'mine, edited').waitFor();
    await eventually('one writes on', isFocused);
    await page.keyboard.press('Shift+Tab');
    await mine.focus();
    await page.keyboard.press('ArrowUp');
    await page.locator('aside li:focus', { hasText: 'an answer' }).waitFor();
    await page.keyboard.press('r');
    await panel(page).getByText('Replying to Bob Ross').waitFor();
    await eventually('one answers', isFocused);
    // First what is answered is let go of, then the thread is closed.
    await page.keyboard.press('Escape');
    await panel(page).getByText('Replying to Bob Ross').waitFor({ state: 'detached' });
    await panel(page).locator('li', { hasText: 'an answer' }).hover();
    await panel(page).getByRole('toolbar').getByRole('button', { name: 'React 👍' }).click();
    await message(page, 'an answer').getByRole('button', { name: /👍 1/ }).waitFor();
    await box(page).press('Escape');
    await panel(page).waitFor({ state: 'detached' });
    await page.locator('[data-timeline] li:focus', { hasText: 'first of all' }).waitFor();
  });

  it('keeps its own draft, and stands where the details stood', async () => {
    const room = await makeRoom('drafts');
    await ada.api.sendMessage(room.id, { text: 'one to answer' });
    const page = await house.enter('ada', `/r/${room.id}`);
    await page.getByRole('button', { name: 'Members and details' }).click();
    await page.getByRole('complementary', { name: 'About drafts' }).waitFor();
    await openThread(page, 'one to answer');
    expect(await page.getByRole('complementary').count()).toBe(1);
    await box(page).fill('begun in the thread');
    await composer(page).fill('begun in the room');
    await panel(page).getByRole('button', { name: 'Close' }).click();
    await panel(page).waitFor({ state: 'detached' });
    await page.reload();
    await openThread(page, 'one to answer');
    expect(await box(page).inputValue()).toBe('begun in the thread');
    expect(await composer(page).inputValue()).toBe('begun in the room');
    await page.getByRole('button', { name: 'Members and details' }).click();
    await page.getByRole('complementary', { name: 'About drafts' }).waitFor();
    expect(await panel(page).count()).toBe(0);
  });

  it('says that it could not be read, and is read when one tries again', async () => {
    const room = await makeRoom('failing');
    const first = await bob.api.sendMessage(room.id, { text: 'hard to reach' });
    await bob.api.sendMessage(room.id, { text: 'the answer to it', replyTo: first.id });
    const page = await house.enter('ada', `/r/${room.id}`);
    const url = /\/v1\/messages\/\d+\/thread/;
    const body = JSON.stringify({ code: 'internal', retryable: false });
    await page.route(url, (route) => route.fulfill({ status: 500, contentType: 'application/json', body }));
    await openThread(page, 'hard to reach');
    const problem = panel(page).getByRole('alert');
    await problem.waitFor();
    await page.unroute(url);
    await problem.getByRole('button', { name: 'Try again' }).click();
    await problem.waitFor({ state: 'detached' });
    await eventually('it is read', async () => (await answers(page)).length === 2);
  });

  it('is read by itself when what failed may pass', async () => {
    const room = await makeRoom('passing');
    const first = await bob.api.sendMessage(room.id, { text: 'hard to reach at first' });
    await bob.api.sendMessage(room.id, { text: 'the answer to it', replyTo: first.id });
    const page = await house.enter('ada', `/r/${room.id}`);
    let failures = 0;
    await page.route(/\/v1\/messages\/\d+\/thread/, (route) => {
      failures += 1;
      return failures > 2 ? route.continue() : route.fulfill({ status: 503, body: '' });
    });
    await openThread(page, 'hard to reach at first');
    await eventually('it is asked for until it is there', () => failures > 2);
    await panel(page).getByRole('alert').waitFor({ state: 'detached' });
    expect(await answers(page)).toEqual(['hard to reach at first', 'the answer to it']);
  });
});
