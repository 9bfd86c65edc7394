/** Notifications: what is told on the device's screen, what is not, what leaves it again, and where a click leads. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { eventually, isLive, message, openHouse } from './house.js';

const house = openHouse({}, { shell: true });
const ada = house.resident('ada', 'Ada Lovelace');
const bob = house.resident('bob', 'Bob Ross');

/** Longer than somebody has to read it. */
const QUIET = 3_000;

/** Kept by the stand-in for the device's screen, for all tabs of a browser: what stands there, and what ever stood there. */
const SCREEN = 'screen';
const EVER = 'screen:ever';

/**
 * The browser under test has no screen to show anything on, and may forget what it was told to show when it is asked for it in that
 * very moment. What pages ask the browser for is done here, as the specification of notifications has it: one for each tag.
 */
function standIn([key, everKey]: readonly [string, string]): void {
  // On the empty page before the first there is none.
  if (!('ServiceWorkerRegistration' in globalThis)) return;
  const prototype = ServiceWorkerRegistration.prototype;
  const read = (): { title: string; tag: string; body: string; data: unknown; by: string }[] =>
    JSON.parse(localStorage.getItem(key) ?? '[]');
  const keep = (screen: ReturnType<typeof read>) => localStorage.setItem(key, JSON.stringify(screen));
  const without = (tag: string) => read().filter((one) => one.tag !== tag);
  prototype.showNotification = async (title, { tag = '', body = '', data } = {}) => {
    if (Notification.permission !== 'granted') throw new TypeError('not allowed');
    // A screen that takes its time, where a test wants one.
    await (globalThis as { slow?: Promise<void> }).slow;
    keep([...without(tag), { title, tag, body, data, by: String(performance.timeOrigin) }]);
    localStorage.setItem(everKey, JSON.stringify([...JSON.parse(localStorage.getItem(everKey) ?? '[]'), body]));
  };
  prototype.getNotifications = async ({ tag } = {}) =>
    read()
      .filter((one) => tag === undefined || one.tag === tag)
      .map((one) => ({ ...one, close: () => keep(without(one.tag)) }) as unknown as Notification);
}

interface Told {
  title: string;
  body: string;
  /** Which page has shown it. */
  by: string;
}

/** What stands on the screen of the device. */
const told = (page: Page): Promise<Told[]> =>
  page.evaluate((key) => JSON.parse(localStorage.getItem(key) ?? '[]'), SCREEN);

/** The texts of all that was ever shown. */
const everTold = (page: Page): Promise<string[]> =>
  page.evaluate((key) => JSON.parse(localStorage.getItem(key) ?? '[]'), EVER);

const tells = (page: Page, ...expected: [title: string, body: string][]) =>
  eventually(`it tells ${JSON.stringify(expected)}`, async () => {
    const found = (await told(page)).map(({ title, body }) => JSON.stringify([title, body]));
    return found.length === expected.length && expected.every((one) => found.includes(JSON.stringify(one)));
  });

/** Ada's page, whose browser lets it notify. */
async function listening(path: string): Promise<Page> {
  const context = await house.device({ permissions: ['notifications'] });
  await context.addInitScript(standIn, [SCREEN, EVER] as const);
  const page = await house.admit(context, 'ada');
  await goTo(page, path);
  await page.evaluate(() => navigator.serviceWorker.ready);
  return page;
}

/** What comes before a page is connected is in its list of rooms, and not told. */
const goTo = async (page: Page, path: string): Promise<void> => {
  await page.goto(house.url + path);
  await isLive(page);
};

const choose = async (page: Page, level: 'All messages' | 'What calls me' | 'Nothing'): Promise<void> => {
  await goTo(page, '/settings/notifications');
  await page.getByRole('radio', { name: level }).check();
};

/** As if the reader clicked on what is shown: the browser does that outside of all pages, to a notification of its own. */
async function click(page: Page): Promise<void> {
  const [shown] = await page.evaluate((key) => JSON.parse(localStorage.getItem(key) ?? '[]'), SCREEN);
  const [worker] = page.context().serviceWorkers();
  if (!worker) throw new Error('there is no service worker');
  await worker.evaluate(async ({ title, data }) => {
    const scope = globalThis as unknown as EventTarget & { registration: ServiceWorkerRegistration };
    let notification: Notification | undefined;
    while (!notification) {
      await scope.registration.showNotification(title, { data });
      [notification] = await scope.registration.getNotifications();
    }
    // Known to workers alone.
    const Clicked = Reflect.get(globalThis, 'NotificationEvent') as new (type: string, init: object) => Event;
    // One that is made by hand can't keep the worker at work.
    const event: Event = Object.defineProperty(new Clicked('notificationclick', { notification }), 'waitUntil', {
      value: (work: Promise<void>) => work.catch(() => {}),
    });
    scope.dispatchEvent(event);
  }, shown);
}

/** As if ada read all of a room on another device. */
async function readElsewhere(room: number): Promise<void> {
  const row = await ada.api.room(room);
  if (!('head' in row)) throw new Error('ada is not in this room');
  await ada.api.moveRead(room, row.head);
}

const room = async (name: string) =>
  (await ada.api.createRoom({ kind: 'channel', name, visibility: 'private', members: [bob.id] })).id;

describe('notifications', () => {
  it('tell what calls me, by whom and where, and nothing before they are asked for', async () => {
    const id = await room('office');
    const direct = await bob.api.openDirect(ada.id);
    const page = await listening('/settings/profile');
    await bob.api.sendMessage(direct.id, { text: 'before anything was chosen' });
    await page.waitForTimeout(QUIET);
    expect(await told(page)).toEqual([]);

    await choose(page, 'What calls me');
    await bob.api.sendMessage(id, { text: 'nothing for anybody' });
    await bob.api.sendMessage(id, { text: 'the **kettle**, @ada, is on' });
    await bob.api.sendMessage(id, { text: 'and this is for nobody either' });
    await bob.api.sendMessage(direct.id, { text: 'just for you' });
    await tells(page, ['Bob Ross in office', 'the kettle, @ada, is on'], ['Bob Ross', 'just for you']);
    // A newer one takes the place of the one before it.
    await bob.api.sendMessage(direct.id, { text: 'and another' });
    await tells(page, ['Bob Ross in office', 'the kettle, @ada, is on'], ['Bob Ross', 'and another']);
    // Of what I say myself, on another device, nothing is told; and it reads the room.
    await ada.api.sendMessage(direct.id, { text: 'thank you' });
    await tells(page, ['Bob Ross in office', 'the kettle, @ada, is on']);
    // What is read on another device leaves the screen of this one, too.
    await readElsewhere(id);
    await tells(page);
  });

  it('tell nothing that is read meanwhile, or deleted, and take back what is deleted later', async () => {
    const id = await room('quick');
    const other = await room('regretted');
    const page = await listening('/');
    await choose(page, 'All messages');
    const { seq } = await bob.api.sendMessage(id, { text: 'read on the phone' });
    await ada.api.moveRead(id, seq);
    const gone = await bob.api.sendMessage(other, { text: 'never said' });
    await bob.api.deleteMessage(gone.id);
    await page.waitForTimeout(QUIET);
    expect(await everTold(page)).toEqual([]);
    const later = await bob.api.sendMessage(other, { text: 'said, and regretted' });
    await tells(page, ['Bob Ross in regretted', 'said, and regretted']);
    await bob.api.deleteMessage(later.id);
    await tells(page);
    // What stands before the eye needs no telling.
    await goTo(page, `/r/${id}`);
    await message(page, 'read on the phone').waitFor();
    await bob.api.sendMessage(id, { text: 'before the eye' });
    await message(page, 'before the eye').waitFor();
    await page.waitForTimeout(QUIET);
    expect(await everTold(page)).toEqual(['said, and regretted']);
  });

  it('take back what is read while it is on its way to the screen', async () => {
    const id = await room('late');
    const page = await listening('/');
    await choose(page, 'All messages');
    await page.evaluate(() => {
      const slow = new Promise<void>((show) => Object.assign(globalThis, { show }));
      Object.assign(globalThis, { slow });
    });
    await bob.api.sendMessage(id, { text: 'too late' });
    await page.waitForTimeout(QUIET);
    const unread = page.locator(`[data-room="${id}"]`).getByText('1 unread message');
    await unread.waitFor({ state: 'attached' });
    await readElsewhere(id);
    await unread.waitFor({ state: 'detached' });
    await page.evaluate(() => (globalThis as unknown as { show(): void }).show());
    await eventually('it was shown', async () => (await everTold(page)).includes('too late'));
    await tells(page);
  });

  it('may be others in one room, and the same in all tabs', async () => {
    const [loud, silent] = [await room('loud'), await room('silent')];
    const page = await listening(`/r/${loud}`);
    await choose(page, 'What calls me');
    for (const [id, level] of [
      [loud, 'All messages'],
      [silent, 'Nothing'],
    ] as const) {
      await goTo(page, `/r/${id}`);
      await page.getByRole('button', { name: 'Members and details' }).click();
      await page.getByRole('tab', { name: 'Room', exact: true }).click();
      await page.getByRole('radio', { name: level, exact: true }).check();
    }
    const second = await page.context().newPage();
    await goTo(second, '/settings/notifications');
    await second.getByRole('radio', { name: 'What calls me' }).waitFor();
    expect(await second.getByRole('radio', { name: 'What calls me' }).isChecked()).toBe(true);
    // Two tabs tell once.
    await bob.api.sendMessage(silent, { text: 'hush, @ada' });
    await bob.api.sendMessage(loud, { text: 'for whoever it may concern' });
    await tells(second, ['Bob Ross in loud', 'for whoever it may concern']);
    await page.waitForTimeout(1_000);
    expect(await everTold(page)).toEqual(['for whoever it may concern']);
    const [by] = (await told(page)).map((one) => one.by);
    const isTeller = await page.evaluate((origin) => String(performance.timeOrigin) === origin, by);
    // The one that told goes: the other one tells, and takes back what the first one showed.
    const [teller, heir] = isTeller ? [page, second] : [second, page];
    await teller.close();
    await readElsewhere(loud);
    await tells(heir);
    await bob.api.sendMessage(loud, { text: 'and for the other tab' });
    await tells(heir, ['Bob Ross in loud', 'and for the other tab']);
  });

  it('lead to the room when they are clicked, and leave with whoever logs out', async () => {
    const id = await room('clicked');
    const page = await listening('/');
    await choose(page, 'All messages');
    await bob.api.sendMessage(id, { text: 'come and see' });
    await tells(page, ['Bob Ross in clicked', 'come and see']);
    await click(page);
    await page.waitForURL(`**/r/${id}`);
    await message(page, 'come and see').waitFor();
    await tells(page);

    await goTo(page, '/settings/notifications');
    await bob.api.sendMessage(id, { text: 'for your eyes only' });
    await tells(page, ['Bob Ross in clicked', 'for your eyes only']);
    await page.getByRole('button', { name: 'Your account' }).click();
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    await tells(page);
  });

  it('say what stops them, and how to begin', async () => {
    const page = await house.enter('ada', '/settings/notifications');
    await page.getByRole('radio', { name: 'What calls me' }).check();
    await page.getByText('does not let this site show notifications').waitFor();
    await page.getByRole('radio', { name: 'Nothing' }).check();
    await page.getByText('does not let this site show notifications').waitFor({ state: 'detached' });
    const context = await house.device();
    await context.addInitScript(() => Object.defineProperty(Notification, 'permission', { get: () => 'default' }));
    const asked = await house.admit(context, 'ada');
    await asked.goto(`${house.url}/settings/notifications`);
    await asked.getByRole('radio', { name: 'All messages' }).check();
    await asked.getByRole('button', { name: 'Ask it' }).waitFor();
    await context.addInitScript(() => Reflect.deleteProperty(globalThis, 'Notification'));
    await asked.reload();
    await asked.getByText('Here this browser shows no notifications.').waitFor();
    expect(await asked.getByRole('radio').count()).toBe(0);
  });
});
