/** What a view shows when there is nothing, not yet, not at all, or not for me: each with the next step to take. */
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { eventually, goWithin, message, openHouse } from './house.js';

const house = openHouse();
const ada = house.resident('ada', 'Ada Lovelace');
const bob = house.resident('bob', 'Bob Ross');
let kitchen: number;
let pantry: number;
beforeAll(async () => {
  kitchen = (await ada.api.createRoom({ kind: 'channel', name: 'kitchen', members: [bob.id] })).id;
  const { id } = await ada.api.sendMessage(kitchen, { text: 'soup is ready, @bob' });
  await ada.api.pin(id ?? 0);
  await ada.api.createRoom({ kind: 'channel', name: 'garden', visibility: 'public' });
  pantry = (await ada.api.createRoom({ kind: 'channel', name: 'pantry', members: [bob.id] })).id;
  await ada.api.sendMessage(pantry, { text: 'we are out of flour' });
  const mine = await bob.api.sendMessage(kitchen, { text: 'comming' });
  await bob.api.editMessage(mine.id, 'coming');
});

/** A window about bob's own message. */
const aboutMine = (entry: string) => async (page: Page) => {
  await goWithin(page, `/r/${kitchen}`);
  await message(page, 'coming').click({ button: 'right' });
  await page.getByRole('menuitem', { name: entry }).click();
};

/** What the server answers while it is broken, for good; `mend` has it answer by itself again. */
async function breakDown(page: Page, url: RegExp): Promise<() => Promise<void>> {
  const body = JSON.stringify({ code: 'internal', retryable: false });
  await page.route(url, (route) => route.fulfill({ status: 500, contentType: 'application/json', body }));
  return () => page.unroute(url);
}

/** Answers are held until they are let go. */
async function hold(page: Page, url: RegExp): Promise<() => Promise<void>> {
  let letGo = () => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  await page.route(url, async (route) => {
    await held;
    await route.continue();
  });
  return async () => {
    letGo();
    await page.unroute(url, { behavior: 'wait' } as never).catch(() => {});
  };
}

/** Views that ask the server: how one comes there, what is asked, and what is shown of it in the end. */
const VIEWS: readonly {
  name: string;
  open: (page: Page) => Promise<void>;
  url: RegExp;
  shows: string;
  where: string;
  /** Who looks; bob, where it is for everybody. */
  by?: string;
}[] = [
  {
    name: 'a room',
    open: (page) => goWithin(page, `/r/${kitchen}`),
    url: /\/v1\/rooms\/\d+\/messages/,
    shows: 'soup is ready',
    where: 'main',
  },
  {
    name: 'the search',
    open: (page) => goWithin(page, '/search?q=soup'),
    url: /\/v1\/search\/messages/,
    shows: 'is ready',
    where: 'main',
  },
  {
    name: 'the mentions',
    open: (page) => goWithin(page, '/mentions'),
    url: /\/v1\/me\/mentions/,
    shows: 'soup is ready',
    where: 'main',
  },
  {
    name: 'the sessions',
    open: (page) => goWithin(page, '/settings/sessions'),
    url: /\/v1\/sessions$/,
    shows: 'this one',
    where: 'main',
  },
  {
    name: 'the members of a room',
    open: async (page) => {
      await goWithin(page, `/r/${kitchen}`);
      await page.getByRole('button', { name: 'Members and details' }).click();
    },
    url: /\/v1\/rooms\/\d+\/members/,
    shows: 'Ada Lovelace',
    where: 'aside',
  },
  {
    name: 'what is pinned',
    open: async (page) => {
      await goWithin(page, `/r/${kitchen}`);
      await page.getByRole('button', { name: 'Members and details' }).click();
      await page.getByRole('tab', { name: 'Pinned' }).click();
    },
    url: /\/v1\/rooms\/\d+\/pins/,
    shows: 'soup is ready',
    where: 'aside',
  },
  {
    name: 'channels to join',
    open: (page) => page.getByRole('button', { name: 'Browse channels' }).click(),
    url: /\/v1\/search\/rooms/,
    shows: 'garden',
    where: 'dialog',
  },
  {
    name: 'people to write to',
    open: (page) => page.getByRole('button', { name: 'New direct message' }).first().click(),
    url: /\/v1\/users\?/,
    shows: 'Ada Lovelace',
    where: 'dialog',
  },
  {
    name: 'what is unread',
    open: (page) => goWithin(page, '/unread'),
    url: /\/v1\/rooms\/\d+\/messages/,
    shows: 'we are out of flour',
    where: 'main',
  },
  {
    name: 'what a message said before',
    open: aboutMine('Edit history'),
    url: /\/v1\/messages\/\d+\/versions/,
    shows: 'comming',
    where: 'dialog',
  },
  {
    name: 'who has read it',
    open: aboutMine('Read by'),
    url: /\/v1\/messages\/\d+\/readers/,
    shows: 'Nobody has read it yet',
    where: 'dialog',
  },
  {
    name: 'everybody, for admins',
    open: (page) => goWithin(page, '/admin/people'),
    url: /\/v1\/users\?/,
    shows: 'Bob Ross',
    where: 'main',
    by: 'ada',
  },
  {
    name: 'the rooms, for admins',
    open: (page) => goWithin(page, '/admin/rooms'),
    url: /\/v1\/admin\/rooms/,
    shows: 'pantry',
    where: 'main',
    by: 'ada',
  },
];

describe.each(VIEWS)('$name', ({ open, url, shows, where, by = 'bob' }) => {
  it('says that it is loading, and then shows what there is', async () => {
    const page = await house.enter(by, '/settings/appearance');
    const letGo = await hold(page, url);
    await open(page);
    await page.locator(where).getByRole('status').filter({ hasText: /./ }).first().waitFor();
    expect(await page.locator(where).getByText(shows).count()).toBe(0);
    await letGo();
    await page.locator(where).getByText(shows).first().waitFor();
  });

  it('says that it failed, and is there when one tries again', async () => {
    const page = await house.enter(by, '/settings/appearance');
    const mend = await breakDown(page, url);
    await open(page);
    const again = page.locator(where).getByRole('button', { name: 'Try again' });
    await again.waitFor();
    await mend();
    await again.click();
    await page.locator(where).getByText(shows).first().waitFor();
    await again.waitFor({ state: 'detached' });
  });
});

describe('what is not there', () => {
  it('is said of a room that is none of mine, with a way back', async () => {
    const secret = await ada.api.createRoom({ kind: 'channel', name: 'secret', visibility: 'private' });
    const page = await house.enter('bob', `/r/${secret.id}`);
    await page.getByRole('heading', { name: 'This room is not there' }).waitFor();
    await page.getByRole('main').getByRole('link', { name: 'All rooms' }).click();
    await eventually('it leads home', async () => !page.url().includes(`/r/${secret.id}`));
  });

  it('is said of pages for admins alone', async () => {
    const page = await house.enter('bob', '/admin/people');
    await page.getByRole('heading', { name: 'This is for admins' }).waitFor();
  });

  it('leads on from an empty list of rooms on a phone too', async () => {
    await house.join('pia', 'Pia Lang');
    const page = await house.enter('pia', '/', { viewport: { width: 390, height: 760 } });
    const list = (name: string) => page.getByRole('region', { name });
    await list('Direct messages').getByRole('button', { name: 'New direct message' }).click();
    await page.getByRole('dialog', { name: 'New direct message' }).waitFor();
    await page.keyboard.press('Escape');
    await list('Channels').getByRole('button', { name: 'Browse channels' }).click();
    await page.getByRole('button', { name: 'Join garden' }).click();
    await page.getByRole('heading', { level: 1, name: 'garden' }).waitFor();
  });

  it('is said where nothing is yet, with what to begin with', async () => {
    await house.join('nova', 'Nova Ray');
    const page = await house.enter('nova');
    await page.getByRole('heading', { name: 'Welcome, Nova Ray' }).waitFor();
    await page.getByRole('main').getByRole('button', { name: 'Browse channels' }).click();
    await page.getByRole('button', { name: 'Join garden' }).click();
    await page.getByRole('heading', { name: 'This is where garden begins' }).waitFor();
    await page.getByText('Say the first word.').waitFor();
    await page.getByRole('button', { name: 'Members and details' }).click();
    await page.getByRole('tab', { name: 'Pinned' }).click();
    await page.getByText('Nothing is pinned here').waitFor();
    await goWithin(page, '/unread');
    await page.getByRole('heading', { name: 'All is read' }).waitFor();
    await goWithin(page, '/mentions');
    await page.getByRole('heading', { name: 'Nobody has called you yet' }).waitFor();
    await goWithin(page, '/search?q=zeppelin');
    await page.getByRole('heading', { name: /Nothing found for/ }).waitFor();
  });

  it('is said of a room that is taken from me while I read it', async () => {
    const brief = await ada.api.createRoom({ kind: 'channel', name: 'brief', members: [bob.id] });
    await ada.api.sendMessage(brief.id, { text: 'read it while you can' });
    const page = await house.enter('bob', `/r/${brief.id}`);
    await message(page, 'read it while you can').waitFor();
    await ada.api.removeMember(brief.id, bob.id);
    await page.getByRole('heading', { name: 'This room is not there' }).waitFor();
    expect(await page.getByText('read it while you can').count()).toBe(0);
  });
});
