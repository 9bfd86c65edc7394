/** A network that breaks in the middle of a conversation: nothing is lost on the screen, and nothing doubled. */
import { describe, expect, it } from 'vitest';
import { composer, eventually, message, openHouse, say, shown } from './house.js';

const house = openHouse();
const ada = house.resident('ada', 'Ada Lovelace');
const bob = house.resident('bob', 'Bob Ross');

describe('a network that breaks', () => {
  it('[L3][H4] keeps what is written meanwhile, shows it waiting, and sends it once when it is back', async () => {
    const room = await ada.api.createRoom({ kind: 'channel', name: 'cut', members: [bob.id] });
    const page = await house.enter('ada', `/r/${room.id}`);
    await say(page, 'before');
    await message(page, 'before').waitFor();
    await eventually('it is sent', async () => (await page.locator('[data-pending]').count()) === 0);
    house.cut();
    for (const text of ['one', 'two', 'three']) await say(page, text);
    await bob.api.sendMessage(room.id, { text: 'said meanwhile' });
    await page.getByText('You are offline. 3 messages wait').waitFor();
    expect(await shown(page)).toEqual(['before', 'one', 'two', 'three']);
    expect(await message(page, 'two').textContent()).toContain('Waiting to be sent');
    house.mend();
    await message(page, 'said meanwhile').waitFor();
    await eventually('all are sent', async () => (await page.locator('[data-pending]').count()) === 0);
    expect(await shown(page)).toEqual(['before', 'said meanwhile', 'one', 'two', 'three']);
    const { messages } = await bob.api.messages(room.id);
    expect(messages.map(({ text }) => text)).toEqual(await shown(page));
    await page.getByText('You are offline').waitFor({ state: 'detached' });
  });

  it('[L3] breaks again and again under two who talk, and both end with the same conversation', async () => {
    const room = await ada.api.createRoom({ kind: 'channel', name: 'storm', members: [bob.id] });
    const pages = [await house.enter('ada', `/r/${room.id}`), await house.enter('bob', `/r/${room.id}`)] as const;
    for (let round = 0; round < 6; round += 1) {
      await Promise.all(pages.map((page, index) => say(page, `round ${round} of ${index}`)));
      house.cut();
      await Promise.all(pages.map((page, index) => say(page, `cut ${round} of ${index}`)));
      house.mend();
    }
    for (const page of pages) {
      await eventually(
        'everything is there',
        async () => (await page.locator('[data-pending]').count()) === 0 && (await shown(page)).length === 24,
        40_000,
      );
    }
    const { messages } = await ada.api.messages(room.id, { limit: 100 });
    const texts = messages.map(({ text }) => text);
    expect(new Set(texts).size).toBe(24);
    for (const page of pages) expect(await shown(page)).toEqual(texts);
  }, 60_000);

  it('[L3] what waits survives a reload, and can be taken back', async () => {
    const room = await ada.api.createRoom({ kind: 'channel', name: 'reload', members: [bob.id] });
    const page = await house.enter('ada', `/r/${room.id}`);
    await composer(page).waitFor();
    house.cut();
    await say(page, 'to be kept');
    await say(page, 'to be taken back');
    await message(page, 'to be taken back').getByRole('button', { name: 'Cancel' }).click();
    await eventually('one is left', async () => (await shown(page)).length === 1);
    house.mend();
    await page.reload();
    await message(page, 'to be kept').waitFor();
    await eventually('it is sent', async () => (await bob.api.messages(room.id)).messages.length === 1);
    expect((await shown(page)).filter((text) => text === 'to be kept')).toHaveLength(1);
  });

  it('tells what was refused, and sends it again when asked', async () => {
    const room = await ada.api.createRoom({ kind: 'channel', name: 'archive', members: [bob.id] });
    const page = await house.enter('bob', `/r/${room.id}`);
    await composer(page).waitFor();
    house.cut();
    await say(page, 'too late');
    await ada.api.archiveRoom(room.id);
    house.mend();
    await message(page, 'too late').getByText('Not sent').waitFor();
    await ada.api.archiveRoom(room.id, false);
    await composer(page).waitFor();
    await message(page, 'too late').getByRole('button', { name: 'Try again' }).click();
    await eventually('it is sent', async () => (await ada.api.messages(room.id)).messages.length === 1);
    await eventually('it is shown as sent', async () => (await page.locator('[data-pending]').count()) === 0);
  });

  it('[H4] is silent for a while, and what was held comes late: nothing is lost, and nothing shown twice', async () => {
    const room = await ada.api.createRoom({ kind: 'channel', name: 'silent', members: [bob.id] });
    const page = await house.enter('ada', `/r/${room.id}`);
    await say(page, 'before');
    await eventually('it is sent', async () => (await page.locator('[data-pending]').count()) === 0);
    for (let round = 0; round < 3; round += 1) {
      house.hold();
      await say(page, `held ${round}`);
      await bob.api.sendMessage(room.id, { text: `bob ${round}` });
      expect((await shown(page)).filter((text) => text === `held ${round}`)).toHaveLength(1);
      // Sometimes the cable is put back, sometimes it is another one.
      if (round === 1) house.cut();
      house.release();
      house.mend();
      await message(page, `bob ${round}`).waitFor();
    }
    await eventually('all are sent', async () => (await page.locator('[data-pending]').count()) === 0);
    const { messages } = await bob.api.messages(room.id);
    expect(messages).toHaveLength(7);
    expect(await shown(page)).toEqual(messages.map(({ text }) => text));
  });

  it('[H4] goes when the browser says so, and comes back when it says so', async () => {
    const room = await ada.api.createRoom({ kind: 'channel', name: 'browser', members: [bob.id] });
    const page = await house.enter('ada', `/r/${room.id}`);
    await composer(page).waitFor();
    await page.context().setOffline(true);
    house.cut();
    await say(page, 'written offline');
    await page.getByText('You are offline. 1 message waits').waitFor();
    await bob.api.sendMessage(room.id, { text: 'said meanwhile' });
    house.mend();
    await page.context().setOffline(false);
    await message(page, 'said meanwhile').waitFor();
    await eventually('it is sent', async () => (await page.locator('[data-pending]').count()) === 0);
    expect(await shown(page)).toEqual(['said meanwhile', 'written offline']);
  });

  it('[L1][H4] is gone with the server, which stops and starts again in the middle of it', async () => {
    const room = await ada.api.createRoom({ kind: 'channel', name: 'restart', members: [bob.id] });
    const pages = [await house.enter('ada', `/r/${room.id}`), await house.enter('bob', `/r/${room.id}`)] as const;
    for (let round = 0; round < 3; round += 1) {
      await Promise.all(pages.map((page, index) => say(page, `round ${round} of ${index}`)));
      // Without a word, as when the power goes: what is on its way is lost.
      if (round === 1) house.cut();
      await house.stop();
      await Promise.all(pages.map((page, index) => say(page, `away ${round} of ${index}`)));
      await house.start();
      house.mend();
    }
    for (const page of pages) {
      await eventually(
        'everything is there',
        async () => (await page.locator('[data-pending]').count()) === 0 && (await shown(page)).length === 12,
        40_000,
      );
    }
    const { messages } = await ada.api.messages(room.id, { limit: 100 });
    const texts = messages.map(({ text }) => text);
    expect(new Set(texts).size).toBe(12);
    for (const page of pages) expect(await shown(page)).toEqual(texts);
  }, 90_000);
});
