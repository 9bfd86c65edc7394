/** Reading a long room: nothing moves under the eye, and every way leads to where it says. */
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { composer, eventually, logInAt, message, openHouse, say } from './house.js';

const house = openHouse();
const ada = house.resident('ada', 'Ada Lovelace');
const bob = house.resident('bob', 'Bob Ross');
let long: number;
const LENGTH = 700;
beforeAll(async () => {
  long = await makeLong('long', LENGTH);
  await ada.api.moveRead(long, (await ada.api.messages(long, { limit: 1 })).head);
});

async function makeLong(name: string, length: number): Promise<number> {
  const { id } = await ada.api.createRoom({ kind: 'channel', name, members: [bob.id] });
  for (let at = 0; at < length; at += 50) {
    await Promise.all(
      Array.from({ length: Math.min(50, length - at) }, (_, index) => {
        const author = (at + index) % 7 < 4 ? ada : bob;
        const text =
          `${greeting(at + index)}message ${at + index} ${'of some length '.repeat((at + index) % 9)}`.trim();
        return author.api.sendMessage(id, { text });
      }),
    );
  }
  return id;
}

/** Now and then somebody writes letters that come in another file of the font. */
function greeting(at: number): string {
  if (at % 90 === 13) return 'Здравствуйте, καλημέρα: ';
  return at % 90 === 57 ? '*Grüße aus Łódź* ' : '';
}

/** The room as ada's list has it. */
const row = async (id: number) => (await ada.api.rooms()).rooms.find((one) => one.id === id);

interface Measured {
  shift: number;
  jumps: number;
  rows: number;
  seqs: number[];
}

/** Scrolls up as fast as rows can be drawn, to the first message or for so many frames, and watches what moves. */
function scrollUp(page: Page, frames: number): Promise<Measured> {
  return page.evaluate(async (max) => {
    const scroller = document.querySelector('[data-timeline]') as HTMLElement;
    let shift = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) shift += (entry as PerformanceEntry & { value: number }).value;
    }).observe({ type: 'layout-shift' });
    const seqs = new Set<number>();
    let rows = 0;
    let jumps = 0;
    const inSight = () => {
      const { top, bottom } = scroller.getBoundingClientRect();
      const all = scroller.querySelectorAll<HTMLElement>('[data-seq]');
      const found = new Map<number, number>();
      for (const row of all) {
        seqs.add(Number(row.dataset.seq));
        const rect = row.getBoundingClientRect();
        if (rect.bottom > top && rect.top < bottom) found.set(Number(row.dataset.seq), rect.top);
      }
      rows = Math.max(rows, all.length);
      return found;
    };
    let before = inSight();
    for (let frame = 0; frame < max; frame += 1) {
      const from = scroller.scrollTop;
      scroller.scrollBy(0, -400);
      const scrolled = from - scroller.scrollTop;
      await new Promise((done) => requestAnimationFrame(done));
      if (scrolled <= 1) await new Promise((done) => setTimeout(done, 10));
      const now = inSight();
      const moves = [...now].flatMap(([seq, at]) => (before.has(seq) ? [at - (before.get(seq) ?? 0)] : []));
      if (moves.length === 0 || moves.some((moved) => Math.abs(moved - scrolled) > 1)) jumps += 1;
      before = now;
      if (scroller.scrollTop === 0 && scroller.querySelector('h2')) break;
    }
    await new Promise((done) => setTimeout(done, 100));
    return { shift, jumps, rows, seqs: [...seqs].sort((a, b) => a - b) };
  }, frames);
}

type Top = readonly [seq: string | undefined, offset: number];

/** Seq of the first message in sight, and how far it stands from the edge. */
function topOf(page: Page): Promise<Top> {
  return page.evaluate(() => {
    const edge = document.querySelector('[data-timeline]')?.getBoundingClientRect().top ?? 0;
    const row = [...document.querySelectorAll<HTMLElement>('[data-seq]')].find(
      (one) => one.getBoundingClientRect().bottom > edge + 1,
    );
    return [row?.dataset.seq, Math.round((row?.getBoundingClientRect().top ?? 0) - edge)] as const;
  });
}

/** The same, when the wheel has come to rest. */
async function restingAt(page: Page): Promise<Top> {
  let now = await topOf(page);
  await eventually('the wheel has come to rest', async () => {
    const earlier = now;
    await page.waitForTimeout(100);
    now = await topOf(page);
    return String(now) === String(earlier);
  });
  return now;
}

describe('a long room', () => {
  it('is read from end to beginning without a jump, and never stands in the page as a whole', async () => {
    const page = await house.enterByDoor('ada', `/r/${long}`);
    await message(page, `message ${LENGTH - 1}`).waitFor();
    const { shift, jumps, rows, seqs } = await scrollUp(page, 2_000);
    expect(jumps).toBe(0);
    expect(shift).toBe(0);
    expect(seqs).toHaveLength(LENGTH);
    expect(rows).toBeLessThan(260);
    await page.getByRole('heading', { name: 'This is where long begins' }).waitFor();
  });

  it('does not jump where the browser leaves anchoring to the page', async () => {
    const context = await house.device();
    await context.addInitScript(() => {
      const supports = CSS.supports.bind(CSS);
      CSS.supports = ((...asked: [string, string]) =>
        asked[0] === 'overflow-anchor' ? false : supports(...asked)) as typeof CSS.supports;
    });
    const page = await context.newPage();
    await page.goto(`${house.url}/r/${long}`);
    await logInAt(page, 'ada');
    await message(page, `message ${LENGTH - 1}`).waitFor();
    await page.evaluate(() => {
      (document.querySelector('[data-timeline]') as HTMLElement).style.overflowAnchor = 'none';
    });
    expect((await scrollUp(page, 250)).jumps).toBe(0);
  });

  it('stays where it is when older messages come in above, however near to their place one reads', async () => {
    const page = await house.enterByDoor('ada', `/r/${long}`);
    await message(page, `message ${LENGTH - 1}`).waitFor();
    const moved = await page.evaluate(
      async (offsets) => {
        const scroller = document.querySelector('[data-timeline]') as HTMLElement;
        const frames = async (count: number) => {
          for (let at = 0; at < count; at += 1) await new Promise((done) => requestAnimationFrame(done));
        };
        const first = () => Number(scroller.querySelector<HTMLElement>('[data-seq]')?.dataset.seq);
        const found: [offset: number, moved: number][] = [];
        for (const offset of offsets) {
          await frames(10);
          const before = first();
          scroller.scrollTop = offset;
          const read = scroller.querySelectorAll<HTMLElement>('[data-seq]')[3] as HTMLElement;
          const { top } = read.getBoundingClientRect();
          for (let tries = 0; tries < 500 && first() === before; tries += 1) await frames(1);
          await frames(5);
          if (first() === before) throw new Error('nothing came in above');
          found.push([offset, Math.round(read.getBoundingClientRect().top - top)]);
        }
        return found.filter(([, by]) => Math.abs(by) > 1);
      },
      [2, 7, 9, 12, 20, 30, 40, 50, 60, 70, 80, 120],
    );
    expect(moved).toEqual([]);
  });

  it('stays at the end when others write, and in its place when one reads above', async () => {
    const room = await makeLong('moving', 80);
    const page = await house.enterByDoor('ada', `/r/${room}`);
    await message(page, 'message 79').waitFor();
    await bob.api.sendMessage(room, { text: 'while at the end' });
    await message(page, 'while at the end').waitFor();
    const atEnd = () =>
      page.evaluate(() => {
        const { scrollTop, scrollHeight, clientHeight } = document.querySelector('[data-timeline]') as HTMLElement;
        return scrollHeight - scrollTop - clientHeight < 5;
      });
    await eventually('it is at the end', atEnd);
    await page.locator('[data-timeline]').hover();
    await page.mouse.wheel(0, -600);
    await page.getByRole('button', { name: 'Jump to present' }).waitFor();
    const places = () =>
      page.locator('[data-seq]').evaluateAll((rows) => rows.slice(0, 40).map((row) => row.getBoundingClientRect().top));
    const before = await places();
    for (const text of ['one', 'two', 'three']) await bob.api.sendMessage(room, { text: `above: ${text}` });
    const pill = page.getByRole('button', { name: '3 new messages below' });
    await pill.waitFor();
    expect(await places()).toEqual(before);
    await pill.click();
    await message(page, 'above: three').waitFor();
    await eventually('it is at the end again', atEnd);
    await pill.waitFor({ state: 'detached' });
  });

  it.each(['pointerdown', 'keydown'])(
    'stays where one scrolled in the moment after it was opened, though it is drawn anew in the same frame (%s)',
    async (gesture) => {
      const page = await house.enter('ada', `/r/${long}`);
      await message(page, `message ${LENGTH - 1}`).waitFor();
      const moved = await page.evaluate(async (type) => {
        const scroller = document.querySelector('[data-timeline]') as HTMLElement;
        const frames = async (count: number) => {
          for (let at = 0; at < count; at += 1) await new Promise((done) => requestAnimationFrame(done));
        };
        await frames(10);
        const row = [...scroller.querySelectorAll<HTMLElement>('[data-seq]')].at(-20) as HTMLElement;
        row.dispatchEvent(new Event(type, { bubbles: true }));
        scroller.scrollTop -= 300;
        const { top } = row.getBoundingClientRect();
        // Another stop for Tab: the timeline is drawn anew before the scrolling is heard of.
        row.focus({ preventScroll: true });
        await frames(10);
        return Math.round(row.getBoundingClientRect().top - top);
      }, gesture);
      expect(moved).toBe(0);
    },
  );

  it('comes back to where it was read, by the list and by going back', async () => {
    const room = await makeLong('place', 120);
    const page = await house.enterByDoor('ada', `/r/${room}`);
    await message(page, 'message 119').waitFor();
    await page.locator('[data-timeline]').hover();
    await page.mouse.wheel(0, -1_500);
    await page.getByRole('button', { name: 'Jump to present' }).waitFor();
    const top = () => topOf(page);
    const before = await restingAt(page);
    await page.locator(`[data-room="${long}"]`).click();
    await page.getByRole('heading', { name: 'long', exact: true }).waitFor();
    await page.goBack();
    await page.getByRole('heading', { name: 'place', exact: true }).waitFor();
    await message(page, 'message').first().waitFor();
    const isBack = async () => {
      const after = await top();
      expect(after[0]).toBe(before[0]);
      // Whole pixels, of places between them.
      expect(Math.abs(Number(after[1]) - Number(before[1]))).toBeLessThanOrEqual(1);
    };
    await isBack();
    // Forward to the other one, and back once more.
    await page.goForward();
    await page.getByRole('heading', { name: 'long', exact: true }).waitFor();
    await message(page, `message ${LENGTH - 1}`).waitFor();
    await page.goBack();
    await page.getByRole('heading', { name: 'place', exact: true }).waitFor();
    await message(page, 'message').first().waitFor();
    await isBack();
  });

  it('goes back within a room to where one was before a link led elsewhere in it, and forward again', async () => {
    const room = await makeLong('within', 150);
    const [early] = (await ada.api.messages(room, { after: 5, limit: 1 })).messages;
    await bob.api.sendMessage(room, { text: 'as was said', replyTo: early?.id ?? 0 });
    for (const text of ['one', 'two', 'three', 'four']) await bob.api.sendMessage(room, { text });
    const page = await house.enter('ada', `/r/${room}`);
    const quote = message(page, 'as was said').getByRole('button', { name: /^In reply to/ });
    await quote.waitFor();
    await eventually('it is at its end', async () => (await row(room))?.unread === 0);
    const high = async () => (await quote.boundingBox())?.y ?? 0;
    const from = await high();
    await page.locator('[data-timeline]').hover();
    await page.mouse.wheel(0, -60);
    await eventually('it is scrolled', async () => Math.abs((await high()) - from - 60) <= 1);
    await page.getByRole('button', { name: 'Jump to present' }).waitFor();
    const before = await topOf(page);
    const isAt = async ([seq, offset]: Top) => {
      const now = await topOf(page);
      return now[0] === seq && Math.abs(now[1] - offset) <= 1;
    };
    await quote.click();
    await page.locator(`[data-seq="${early?.seq}"][data-found]`).waitFor();
    await page.waitForURL(`**/r/${room}/${early?.seq}`);
    const there = await restingAt(page);
    expect(there[0]).not.toBe(before[0]);
    await page.goBack();
    await eventually('one is back', () => isAt(before));
    expect(await page.locator('[data-found]').count()).toBe(0);
    await page.goForward();
    await eventually('one is there again', () => isAt(there));
    await page.locator(`[data-seq="${early?.seq}"][data-found]`).waitFor();
    // Also from another room, where both were left.
    await page.locator(`[data-room="${long}"]`).click();
    await page.getByRole('heading', { name: 'long', exact: true }).waitFor();
    await page.goBack();
    await eventually('one is there from elsewhere', () => isAt(there));
    await page.goBack();
    await eventually('one is back from elsewhere', () => isAt(before));
  });

  it('opens at what is new when it is near, says since when, and the line stays where it was', async () => {
    const room = await makeLong('new', 30);
    await ada.api.moveRead(room, (await ada.api.messages(room, { limit: 1 })).head);
    for (let index = 0; index < 40; index += 1) await bob.api.sendMessage(room, { text: `new ${index}` });
    const page = await house.enterByDoor('ada', `/r/${room}`);
    await page.locator('[data-key="new"]').waitFor();
    const line = () => page.locator('[data-key="new"] + li').textContent();
    expect(await line()).toContain('new 0');
    await page.getByRole('button', { name: '40 new messages below' }).click();
    await page.getByRole('button', { name: /^40 new messages since/ }).waitFor();
    await bob.api.sendMessage(room, { text: 'and one more' });
    await message(page, 'and one more').waitFor();
    await page.getByRole('button', { name: /^40 new messages since/ }).click();
    await message(page, 'new 0').first().waitFor();
    expect(await line()).toContain('new 0');
    await page.getByRole('button', { name: /new messages? below|Jump to present/ }).click();
    await page.getByRole('button', { name: 'Mark as read' }).click();
    await page.locator('[data-key="new"]').waitFor({ state: 'detached' });
  });

  it('opens at the message that an address names, marked, wherever in the room it is', async () => {
    const { messages } = await ada.api.messages(long, { after: 100, limit: 1 });
    const [wanted] = messages;
    const page = await house.enterByDoor('ada', `/r/${long}/${wanted?.seq}`);
    const row = page.locator(`[data-seq="${wanted?.seq}"][data-found]`);
    await row.waitFor();
    const { y = 0 } = (await row.boundingBox()) ?? {};
    expect(y).toBeGreaterThan(100);
    expect(y).toBeLessThan(600);
    // From there one reads on, down to the present.
    await page.getByRole('button', { name: 'Jump to present' }).click();
    await message(page, `message ${LENGTH - 1}`).waitFor();
    await say(page, 'from the present');
    await message(page, 'from the present').waitFor();
  });

  it('leads to a day, from the line of another one', async () => {
    const page = await house.enterByDoor('ada', `/r/${long}`);
    await message(page, `message ${LENGTH - 1}`).waitFor();
    await page.locator('[data-timeline]').hover();
    await scrollUp(page, 2_000);
    await page.getByRole('button', { name: 'Jump to present' }).click();
    await eventually('the present', async () => message(page, `message ${LENGTH - 1}`).isVisible());
    // All of the room is loaded by now, and its beginning is not what stands above the newest.
    expect(await page.getByRole('heading', { name: 'This is where long begins' }).count()).toBe(0);
    const { messages } = await ada.api.messages(long, { after: 0, limit: 1 });
    const today = new Date(messages[0]?.at ?? '').toISOString().slice(0, 10);
    await page.evaluate(() => {
      document.querySelector('[data-timeline]')?.scrollTo(0, 0);
    });
    // At the top from the first frame on, and never at rest: rows come all the same.
    expect((await scrollUp(page, 2_000)).seqs[0]).toBe(messages[0]?.seq);
    await page.getByRole('button', { name: 'Jump to a date' }).first().click();
    await page.getByLabel('Day').fill(today);
    await page.getByRole('button', { name: 'Go', exact: true }).click();
    await message(page, 'message 0').first().waitFor();
    expect(await composer(page).isVisible()).toBe(true);
  });
});
