/** Whoever reads upwards always comes on: what could not be read is asked for again by itself, as long as it may pass. */
import type { Page, Route } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { eventually, goWithin, message, openHouse } from './house.js';

const house = openHouse();
const ada = house.resident('ada', 'Ada Lovelace');
let long: number;
let other: number;
const LENGTH = 720;
beforeAll(async () => {
  ({ id: long } = await ada.api.createRoom({ kind: 'channel', name: 'long' }));
  ({ id: other } = await ada.api.createRoom({ kind: 'channel', name: 'other' }));
  await ada.api.sendMessage(other, { text: 'elsewhere' });
  for (let at = 0; at < LENGTH; at += 40) {
    await Promise.all(
      Array.from({ length: 40 }, (_, index) => ada.api.sendMessage(long, { text: `message ${at + index}` })),
    );
  }
});

const OLDER = /\/v1\/rooms\/\d+\/messages\?.*before=/;
const PAGES = /\/v1\/rooms\/\d+\/messages/;
const trouble = (page: Page) => page.getByRole('main').getByRole('alert');
/** As a proxy answers whose server is away for a moment: a second, so that it can be seen. */
const refuse = (route: Route) => route.fulfill({ status: 503, headers: { 'retry-after': '1' }, body: '' });

/** Answers of older pages, one after the other; when there are no more of them, the server's own. Tells how many were asked for. */
async function answer(page: Page, url: RegExp, answers: ((route: Route) => Promise<void>)[]): Promise<() => number> {
  let asked = 0;
  await page.route(url, async (route) => {
    const one = answers[asked] ?? ((given: Route) => given.continue());
    asked += 1;
    // A page may be gone before it is answered.
    await one(route).catch(() => {});
  });
  return () => asked;
}

async function enter(): Promise<Page> {
  const page = await house.enter('ada', `/r/${long}`);
  await page.locator('[data-timeline] [data-seq]').first().waitFor();
  return page;
}

/** To the top of what is there, and no further: from now on nothing scrolls. */
async function goToTop(page: Page): Promise<void> {
  await page.locator('[data-timeline]').evaluate((scroller) => scroller.scrollTo(0, 0));
}

/** Scrolls up, but only to what is there already, until the first message is reached. */
async function readToBeginning(page: Page): Promise<void> {
  await eventually('the beginning is reached', async () => {
    await goToTop(page);
    return page.getByRole('heading', { name: 'This is where long begins' }).isVisible();
  });
}

describe('reading upwards', () => {
  it('goes on by itself after answers that failed, and says so meanwhile', async () => {
    const page = await enter();
    const asked = await answer(page, OLDER, [refuse, refuse, (route) => route.abort()]);
    await goToTop(page);
    await trouble(page).waitFor();
    await eventually('it is asked for once more', () => asked() > 3);
    await trouble(page).waitFor({ state: 'detached' });
    await readToBeginning(page);
  });

  it('waits as long as the server says', async () => {
    const page = await enter();
    const times: number[] = [];
    const note = (body: (route: Route) => Promise<void>) => (route: Route) => {
      times.push(performance.now());
      return body(route);
    };
    const busy = (route: Route) => route.fulfill({ status: 429, headers: { 'retry-after': '2' }, body: '' });
    await answer(page, OLDER, [note(busy), note((route) => route.continue())]);
    await goToTop(page);
    await eventually('it is asked for again', () => times.length === 2);
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(1_900);
    await readToBeginning(page);
  });

  it('goes on when an answer comes late, though nobody scrolls any more', async () => {
    const page = await enter();
    let letGo = () => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const asked = await answer(page, OLDER, [
      async (route) => {
        await held;
        await route.continue();
      },
    ]);
    const first = () => page.locator('[data-seq]').first().getAttribute('data-seq');
    // To the top of all that is loaded, where frames go by in which nothing comes.
    let before: string | null = null;
    await eventually('what is loaded is used up', async () => {
      before = await first();
      await goToTop(page);
      await page.evaluate(async () => {
        for (let frame = 0; frame < 20; frame += 1) await new Promise((done) => requestAnimationFrame(done));
      });
      return asked() === 1 && (await first()) === before;
    });
    letGo();
    await eventually('older ones are there', async () => (await first()) !== before);
    await readToBeginning(page);
  });

  it('goes on when an answer never comes', async () => {
    const context = await house.device();
    // As the page waits half a minute, only sooner.
    await context.addInitScript(() => {
      const timeout = AbortSignal.timeout.bind(AbortSignal);
      AbortSignal.timeout = (milliseconds) => timeout(Math.min(milliseconds, 2_000));
    });
    const page = await house.admit(context, 'ada');
    await page.goto(`${house.url}/r/${long}`);
    await page.locator('[data-timeline] [data-seq]').first().waitFor();
    const asked = await answer(page, OLDER, [() => new Promise(() => {})]);
    await goToTop(page);
    await eventually('it is asked for again', () => asked() > 1);
    await readToBeginning(page);
  });

  it.each([1, 2, 3])('comes to the beginning whatever answers do, one after the other (seed %i)', async (seed) => {
    const page = await enter();
    let state = seed;
    const random = (): number => {
      state = (state * 48_271) % 2_147_483_647;
      return state / 2_147_483_647;
    };
    const moods: ((route: Route) => Promise<void>)[] = [
      (route) => route.continue(),
      (route) => route.abort(),
      (route) => route.fulfill({ status: 502, contentType: 'text/html', body: '<h1>Bad gateway</h1>' }),
      (route) => route.fulfill({ status: 200, contentType: 'text/html', body: '<h1>Log in to the network</h1>' }),
      async (route) => {
        await new Promise((done) => setTimeout(done, random() * 300));
        await route.continue();
      },
    ];
    await answer(
      page,
      OLDER,
      Array.from(
        { length: 12 },
        (_, index) =>
          (index % 2 === 1 ? moods[0] : moods[Math.floor(random() * moods.length)]) as (route: Route) => Promise<void>,
      ),
    );
    await readToBeginning(page);
  });

  it('goes on where it was asked for again while one read elsewhere', async () => {
    const page = await enter();
    const asked = await answer(page, OLDER, [refuse]);
    await goToTop(page);
    await trouble(page).waitFor();
    await page.getByRole('button', { name: 'Jump to present' }).click();
    await message(page, `message ${LENGTH - 1}`).waitFor();
    // At the end nothing older is wanted: the wait, of two seconds at most, goes by unused.
    await page.waitForTimeout(2_100);
    expect(asked()).toBe(1);
    await readToBeginning(page);
    expect(asked()).toBeGreaterThan(1);
  });

  it('asks no more for what is refused for good, until somebody says so', async () => {
    const page = await enter();
    const no = (route: Route) =>
      route.fulfill({
        status: 500,
        contentType: 'application/json',
        body: JSON.stringify({ code: 'internal', retryable: false }),
      });
    const asked = await answer(page, OLDER, [no]);
    await goToTop(page);
    await trouble(page).waitFor();
    await page.waitForTimeout(1_500);
    expect(asked()).toBe(1);
    await trouble(page).getByRole('button', { name: 'Try again' }).click();
    await trouble(page).waitFor({ state: 'detached' });
    await readToBeginning(page);
  });

  it('opens a room by itself whose first page failed, and asks at once when it is opened anew', async () => {
    const page = await house.enter('ada', '/unread');
    let broken = true;
    let asked = 0;
    await page.route(PAGES, (route) => {
      asked += 1;
      return broken ? refuse(route) : route.continue();
    });
    await goWithin(page, `/r/${other}`);
    await trouble(page).waitFor();
    await eventually('it is asked for again', () => asked > 1);
    await goWithin(page, '/unread');
    await page.getByRole('heading', { name: 'Unread' }).waitFor();
    broken = false;
    await goWithin(page, `/r/${other}`);
    await message(page, 'elsewhere').waitFor();
    expect(await trouble(page).count()).toBe(0);
  });
});
