/** For everybody: screen readers, small windows and large type, either direction, no colours, no motion; and what a browser calls good practice. */
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { composer, eventually, goWithin, logInAt, message, openHouse, say } from './house.js';

const house = openHouse({}, { shell: true });
const ada = house.resident('ada', 'Ada Lovelace');
const bob = house.resident('bob', 'Bob Ross');
let room: number;
beforeAll(async () => {
  room = (await ada.api.createRoom({ kind: 'channel', name: 'kitchen', topic: 'What is cooking', members: [bob.id] }))
    .id;
  const first = await bob.api.sendMessage(room, { text: `**Soup** is ready\n\n${'unbroken'.repeat(40)}` });
  await bob.api.sendMessage(room, { text: 'שלום לכולם' });
  await ada.api.react(first.id, '🎉');
  await ada.api.sendMessage(room, {
    text: 'Coming!\n\n```js\nladle(); // and a line that is longer than any phone is wide, by far\n```',
  });
  const direct = await bob.api.openDirect(ada.id);
  await bob.api.sendMessage(direct.id, { text: 'hello, are you there?' });
});

/** Addresses, and what shows that their page is there. */
const PATHS = () =>
  [
    ['/', 'nav li:visible'],
    [`/r/${room}`, 'main [data-timeline] pre'],
    ['/unread', 'main:has-text("Unread") a[href^="/r/"]'],
    ['/mentions', 'main h2:has-text("Nobody has called you")'],
    ['/search?q=soup', 'main [data-hit]'],
    ['/settings/profile', 'main button:has-text("Delete account")'],
    ['/settings/notifications', 'main legend:has-text("Notify me of")'],
    ['/settings/appearance', 'main legend:has-text("Density")'],
    ['/settings/sessions', 'main li:has-text("this one")'],
    ['/admin/people', 'main li:has-text("Bob Ross")'],
    ['/admin/figures', 'main :text("People online")'],
  ] as const;

/** Goes to a page of the app, and waits for what it shows. */
async function goTo(page: Page, path: string): Promise<void> {
  await goWithin(page, path);
  const [, there] = PATHS().find(([known]) => known === path) ?? [];
  if (!there) throw new Error(`no page of this list is at ${path}`);
  await page.locator(there).first().waitFor();
}

describe('a screen reader', () => {
  it('hears what others write once, with their name and without marks; not what was there, nor oneself', async () => {
    const page = await house.enter('ada', `/r/${room}`);
    await message(page, 'Coming!').waitFor();
    const log = page.getByRole('log');
    expect(await log.textContent()).toBe('');
    await say(page, 'said by myself');
    await message(page, 'said by myself').waitFor();
    await bob.api.sendMessage(room, { text: 'said **by another**' });
    await eventually('it is said', async () => (await log.textContent()) !== '');
    expect(await log.locator('p').allTextContents()).toEqual(['Bob Ross: said by another']);
    expect(await log.getAttribute('aria-live')).toBe('polite');
  });

  it('finds landmarks, one heading of the page, and a list of messages with one stop for Tab', async () => {
    const page = await house.enter('ada', `/r/${room}`);
    await message(page, 'Coming!').waitFor();
    await page.getByRole('navigation', { name: 'Rooms' }).waitFor();
    expect(await page.getByRole('main').count()).toBe(1);
    expect(await page.getByRole('heading', { level: 1 }).allTextContents()).toEqual(['kitchen']);
    await page.getByRole('region', { name: 'Messages in kitchen' }).waitFor();
    expect(await page.locator('[data-timeline] li[tabindex="0"]').count()).toBe(1);
    await page.getByRole('button', { name: 'Members and details' }).click();
    await page.getByRole('complementary', { name: 'About kitchen' }).waitFor();
  });

  it('comes back with Tab to the message where the focus was', async () => {
    const page = await house.enter('ada', `/r/${room}`);
    await message(page, 'Coming!').waitFor();
    const stop = page.locator('[data-timeline] li[tabindex="0"]');
    await stop.focus();
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowUp');
    const before = await page.locator('[data-timeline] li:focus').getAttribute('data-seq');
    await composer(page).focus();
    await eventually('it is the only stop', async () => (await stop.getAttribute('data-seq')) === before);
    for (let step = 0; step < 20 && !(await stop.evaluate((row) => row === document.activeElement)); step += 1) {
      await page.keyboard.press('Shift+Tab');
    }
    expect(await page.locator('[data-timeline] li:focus').getAttribute('data-seq')).toBe(before);
  });
});

describe('a window', () => {
  it.each([
    ['320 px wide', { viewport: { width: 320, height: 640 } }],
    ['half as wide, as with zoom at 200 %', { viewport: { width: 640, height: 400 } }],
  ])('%s shows every page without scrolling sideways', async (_, options) => {
    const page = await house.enter('ada', '/', options);
    const wide = () =>
      page.evaluate(() => {
        const width = document.documentElement.clientWidth;
        const clipped = (element: Element): boolean => {
          for (let one = element.parentElement; one; one = one.parentElement) {
            const { overflowX } = getComputedStyle(one);
            if (overflowX !== 'visible' && one.getBoundingClientRect().right <= width + 1) return true;
          }
          return false;
        };
        const out = [...document.body.querySelectorAll('*')].filter((one) => {
          const { right, width: own } = one.getBoundingClientRect();
          return own > 1 && right > width + 1 && !clipped(one);
        });
        const scrolls = [...document.querySelectorAll('[data-timeline], main, [data-region]')].filter(
          (one) => one.scrollWidth > one.clientWidth + 1,
        );
        const page = document.documentElement;
        // Regions scroll, the page does not, in any direction.
        if (page.scrollHeight > page.clientHeight) out.push(page);
        return [...out, ...scrolls].slice(0, 3).map((one) => one.outerHTML.slice(0, 120));
      });
    for (const [path] of PATHS()) {
      await goTo(page, path);
      expect([path, await wide()]).toEqual([path, []]);
    }
    await goTo(page, `/r/${room}`);
    await page.getByRole('button', { name: 'Members and details' }).click();
    await page.getByRole('complementary').getByText('Ada Lovelace (you)').waitFor();
    expect(await wide()).toEqual([]);
    // What is there for the ear alone may lie far below, as in a long room of several days.
    await page.evaluate(() => {
      const far = Object.assign(document.createElement('span'), { className: 'hidden', textContent: 'far below' });
      far.style.top = '3000px';
      document.querySelector('[data-timeline]')?.append(far);
    });
    expect(await wide()).toEqual([]);
  });

  it('of a phone has one pane at a time, and ways between them', async () => {
    const page = await house.enter('ada', '/', {
      viewport: { width: 390, height: 844 },
      hasTouch: true,
      isMobile: true,
    });
    await page.getByRole('link', { name: 'kitchen' }).tap();
    await message(page, 'Coming!').waitFor();
    expect(await page.getByRole('navigation', { name: 'Rooms' }).isVisible()).toBe(false);
    await page.getByRole('link', { name: 'All rooms' }).tap();
    await page.getByRole('navigation', { name: 'Rooms' }).waitFor();
    expect(await composer(page).count()).toBe(0);
  });

  it('has targets that a finger meets: 24 px anywhere, 44 px high for what a phone is used for most', async () => {
    const page = await house.enter('ada', '/', {
      viewport: { width: 390, height: 844 },
      hasTouch: true,
      isMobile: true,
    });
    const small = (least: number, where: string) =>
      page.evaluate(
        ([size, selector]) => {
          const found: string[] = [];
          for (const one of document.querySelectorAll<HTMLElement>(selector as string)) {
            const { width, height } = one.getBoundingClientRect();
            const { display, clipPath } = getComputedStyle(one);
            // Within a text, and what is only for screen readers, is as large as its line.
            if (width <= 1 || height <= 1 || display === 'inline' || clipPath !== 'none') continue;
            if (one.closest('label') && one.closest('label') !== one) continue;
            if (one.closest('p') || !one.checkVisibility()) continue;
            if (width < (size as number) - 0.5 || height < (size as number) - 0.5) {
              found.push(`${Math.round(width)}×${Math.round(height)} ${one.outerHTML.slice(0, 160)}`);
            }
          }
          return found;
        },
        [least, where] as const,
      );
    for (const [path] of PATHS()) {
      await goTo(page, path);
      expect([path, await small(24, 'a, button, input, select, textarea, [role="tab"], label')]).toEqual([path, []]);
    }
    await goTo(page, '/');
    expect(await small(44, 'nav a, nav header button')).toEqual([]);
    await goTo(page, `/r/${room}`);
    expect(await small(44, 'main > header a, main > header button, form button, [data-composer]')).toEqual([]);
  });

  it('shows text from right to left where it is written so', async () => {
    const page = await house.enter('ada', `/r/${room}`);
    const text = message(page, 'שלום').locator('[data-text] p');
    const [inner, outer] = await text.evaluate((one) => {
      const range = document.createRange();
      range.selectNodeContents(one);
      return [range.getBoundingClientRect().right, one.getBoundingClientRect().right];
    });
    expect(Math.abs((inner ?? 0) - (outer ?? 0))).toBeLessThan(2);
  });

  it('is laid out from right to left where the page is', async () => {
    const page = await house.enter('ada', `/r/${room}`);
    await message(page, 'Coming!').waitFor();
    await page.evaluate(() => {
      document.documentElement.dir = 'rtl';
    });
    const middle = (selector: string) =>
      page
        .locator(selector)
        .first()
        .evaluate((one) => {
          const { left, right } = one.getBoundingClientRect();
          return (left + right) / 2;
        });
    await page.getByRole('button', { name: 'Members and details' }).click();
    await page.getByRole('complementary').getByText('Ada Lovelace (you)').waitFor();
    // Rooms to the right, messages in the middle, details to the left.
    expect(await middle('nav')).toBeGreaterThan(await middle('[data-timeline]'));
    expect(await middle('[data-timeline]')).toBeGreaterThan(await middle('aside'));
    const row = '[data-timeline] li[data-first]';
    expect(await middle(`${row} time`)).toBeGreaterThan(await middle('[data-timeline]'));
    await message(page, 'Coming!').hover();
    await page.getByRole('toolbar').waitFor();
    expect(await middle('[role="toolbar"]')).toBeLessThan(await middle('[data-timeline]'));
    const wide = await page.evaluate(() =>
      ['html', 'nav', 'main', '[data-timeline]', 'aside'].filter((selector) => {
        const one = document.querySelector(selector);
        return one && one.scrollWidth > one.clientWidth + 1;
      }),
    );
    expect(wide).toEqual([]);
  });

  it('has times in the zone and the manner of whoever reads', async () => {
    const [last] = (await ada.api.messages(room, { limit: 1 })).messages;
    const shown = async (options: { locale: string; timezoneId: string }) => {
      const page = await house.enter('ada', `/r/${room}`, options);
      const text = await page.locator('[data-timeline] li[data-first] time').last().textContent();
      await page.context().close();
      return (text ?? '').replace(/\s/gu, ' ');
    };
    const written = (locale: string, timeZone: string) =>
      new Intl.DateTimeFormat(locale, { timeZone, hour: '2-digit', minute: '2-digit' })
        .format(new Date(last?.at ?? 0))
        .replace(/\s/gu, ' ');
    for (const [locale, timezoneId] of [
      ['en-US', 'America/St_Johns'],
      ['en-GB', 'Asia/Kathmandu'],
    ] as const) {
      expect(await shown({ locale, timezoneId })).toBe(written(locale, timezoneId));
    }
  });

  it('is denser by choice, and stays so', async () => {
    const page = await house.enter('ada', `/r/${room}`);
    const height = () => message(page, 'שלום').evaluate((row) => row.getBoundingClientRect().height);
    await message(page, 'שלום').waitFor();
    const before = await height();
    await goTo(page, '/settings/appearance');
    await page.getByRole('radio', { name: /Compact/ }).check({ force: true });
    await goTo(page, `/r/${room}`);
    await message(page, 'שלום').waitFor();
    expect(await height()).toBeLessThan(before);
  });
});

describe('the eye', () => {
  it('is moved by nothing where it asks for no motion', async () => {
    const page = await house.enter('ada', `/r/${room}`, { reducedMotion: 'reduce' });
    await message(page, 'Coming!').waitFor();
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox').waitFor();
    const moving = await page.evaluate(() =>
      [...document.querySelectorAll('*')].flatMap((one) => {
        const { transitionDuration, animationDuration, animationName, scrollBehavior } = getComputedStyle(one);
        const longest = (text: string) => Math.max(...text.split(',').map((part) => Number.parseFloat(part)));
        const moves =
          longest(transitionDuration) > 0.01 ||
          (animationName !== 'none' && longest(animationDuration) > 0.01) ||
          scrollBehavior === 'smooth';
        return moves ? [one.outerHTML.slice(0, 100)] : [];
      }),
    );
    expect(moving).toEqual([]);
  });

  it('has it light or dark as the system does, and follows it', async () => {
    const page = await house.enter('ada', `/r/${room}`, { colorScheme: 'light' });
    await message(page, 'Coming!').waitFor();
    const ground = () =>
      page.evaluate(() => {
        const pen = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d');
        if (!pen) throw new Error('nothing to draw on');
        pen.fillStyle = getComputedStyle(document.body).backgroundColor;
        pen.fillRect(0, 0, 1, 1);
        return pen.getImageData(0, 0, 1, 1).data[0] ?? -1;
      });
    expect(await ground()).toBeGreaterThan(230);
    await page.emulateMedia({ colorScheme: 'dark' });
    await eventually('it follows', async () => (await ground()) < 60);
  });

  it('tells where one is, what is new and what has the focus where the system gives all colours', async () => {
    const page = await house.enter('ada', `/r/${room}`, { forcedColors: 'active' });
    await message(page, 'Coming!').waitFor();
    const look = (selector: string) =>
      page
        .locator(selector)
        .first()
        .evaluate((one) => {
          const { outlineStyle, outlineWidth, borderStyle, boxShadow, fontWeight, backgroundColor } =
            getComputedStyle(one);
          return { outline: `${outlineStyle} ${outlineWidth}`, borderStyle, boxShadow, fontWeight, backgroundColor };
        });
    const current = await look('nav a[data-room][aria-current]');
    const other = await look('nav a[data-room]:not([aria-current])');
    expect([current.backgroundColor, current.outline, current.borderStyle]).not.toEqual([
      other.backgroundColor,
      other.outline,
      other.borderStyle,
    ]);
    await page
      .locator('nav a[data-room][data-unread]')
      .first()
      .getByText('1 unread message')
      .waitFor({ state: 'attached' });
    await composer(page).press('Shift+Tab');
    const focused = await look(':focus-visible');
    expect(focused.outline).toMatch(/^(?:solid|auto) (?!0px)/);
  });
});

describe('good practice', () => {
  it('is kept: a title, a language, no warning of the browser, nothing deprecated, a policy that holds', async () => {
    const context = await house.device();
    const page = await context.newPage();
    const said: string[] = [];
    page.on('console', (line) => said.push(`${line.type()}: ${line.text()}`));
    const session = await context.newCDPSession(page);
    const issues: string[] = [];
    session.on('Audits.issueAdded', ({ issue }) => issues.push(JSON.stringify(issue).slice(0, 300)));
    await session.send('Audits.enable');
    const answer = await page.goto(house.url);
    await logInAt(page, 'ada');
    for (const [path] of PATHS()) {
      await goTo(page, path);
      expect(await page.title()).not.toBe('');
    }
    expect(issues).toEqual([]);
    // A first visit asks who one is, and is told that nobody is logged in.
    expect(said.filter((line) => !/status of 401/.test(line))).toEqual([]);
    const headers = answer?.headers() ?? {};
    expect(headers['content-security-policy']).toMatch(/default-src 'none'|default-src 'self'/);
    expect(headers['content-security-policy']).not.toMatch(/unsafe-eval|script-src[^;]*unsafe-inline/);
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['referrer-policy']).toBeTruthy();
    const facts = await page.evaluate(() => ({
      doctype: document.doctype?.name,
      mode: document.compatMode,
      lang: document.documentElement.lang,
      charset: document.characterSet,
      description: document.querySelector<HTMLMetaElement>('meta[name="description"]')?.content !== '',
      zoom: !/user-scalable|maximum-scale/.test(
        document.querySelector<HTMLMetaElement>('meta[name="viewport"]')?.content ?? '',
      ),
      unsafe: [...document.querySelectorAll<HTMLAnchorElement>('a[target="_blank"]')].filter(
        (a) => !/noopener/.test(a.rel),
      ).length,
      pictures: [...document.images].filter((one) => !one.hasAttribute('alt')).length,
    }));
    expect(facts).toEqual({
      doctype: 'html',
      mode: 'CSS1Compat',
      lang: 'en',
      charset: 'UTF-8',
      description: true,
      zoom: true,
      unsafe: 0,
      pictures: 0,
    });
  });
});
