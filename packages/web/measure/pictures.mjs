// `npm run pictures -w @natter/web`: the pictures of the README, made anew in docs/images. With a folder behind it, every
// main view instead, wide and on a phone, light and dark, to be looked at.
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { openCommunity, PASSWORD } from './community.mjs';

const folder = process.argv[2];
const out = folder
  ? resolve(process.env.INIT_CWD ?? '.', folder)
  : fileURLToPath(new URL('../../../docs/images', import.meta.url));
mkdirSync(out, { recursive: true });

const WIDE = { width: 1200, height: 750 };
const PHONE = { width: 390, height: 760 };
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--font-render-hinting=none'],
});
const community = await openCommunity();
const { url, rooms, ahead } = community;

/** A browser of Maya's, or of a stranger's, where it is as late as on the server. */
async function device(colorScheme, viewport, name = 'maya') {
  const context = await browser.newContext({ viewport, colorScheme, locale: 'en-GB', timezoneId: 'Europe/Lisbon' });
  context.setDefaultTimeout(10_000);
  await context.addInitScript((difference) => {
    const Real = Date;
    globalThis.Date = class extends Real {
      constructor(...given) {
        super(...(given.length === 0 ? [Real.now() + difference] : given));
      }
      static now() {
        return Real.now() + difference;
      }
    };
  }, ahead);
  if (name === null) return context;
  const page = await context.newPage();
  await page.goto(url);
  await page.getByLabel('Name or e-mail address').fill(name);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Log in', exact: true }).click();
  await page.locator('[data-home]').waitFor();
  await page.close();
  return context;
}

async function open(context, path) {
  const page = await context.newPage();
  await page.goto(url + path);
  await page.locator('main:visible, nav:visible').first().waitFor();
  await settled(page);
  return page;
}

const inRoom = (name) => `/r/${rooms[name].id}`;
const settled = (page) => page.evaluate(() => document.fonts.ready).then(() => page.waitForTimeout(400));

async function take(page, name) {
  await settled(page);
  await page.screenshot({ path: join(out, `${name}.png`), animations: 'disabled', caret: 'hide' });
  await page.close();
}

const row = (page, text) => page.locator('[data-timeline] li', { hasText: text }).last();
const details = (page) => page.getByRole('button', { name: 'Members and details' }).click();

/** Each view: where it is, and what is done there before the picture. */
const VIEWS = {
  room: [inRoom('workshop'), async (page) => row(page, 'Still our best').hover()],
  details: [inRoom('workshop'), details],
  profile: [inRoom('ines'), details],
  pins: [
    inRoom('workshop'),
    async (page) => {
      await details(page);
      await page.getByRole('tab', { name: 'Pinned' }).click();
    },
  ],
  about: [
    inRoom('workshop'),
    async (page) => {
      await details(page);
      await page.getByRole('tab', { name: 'Room' }).click();
    },
  ],
  menu: [inRoom('workshop'), async (page) => row(page, 'Still our best').click({ button: 'right' })],
  emoji: [
    inRoom('workshop'),
    async (page) => {
      await row(page, 'Still our best').hover();
      await page.getByRole('button', { name: 'React with an emoji' }).click();
    },
  ],
  history: [
    inRoom('workshop'),
    async (page) => {
      await page.getByRole('button', { name: '(edited)' }).click();
    },
  ],
  thread: [
    inRoom('workshop'),
    async (page) => {
      await page.getByRole('button', { name: '1 reply', exact: true }).last().click();
      await page.locator('[data-thread] li', { hasText: 'Make it' }).waitFor();
    },
  ],
  day: [
    inRoom('workshop'),
    async (page) => {
      await page.getByRole('button', { name: 'Jump to a date' }).last().click();
    },
  ],
  rides: [inRoom('rides'), async () => {}],
  switcher: [
    inRoom('workshop'),
    async (page) => {
      await page.keyboard.press('Control+k');
      await page.getByRole('combobox').pressSequentially('ride');
      await page.getByRole('option', { name: /Tom Okafor/ }).waitFor();
    },
  ],
  recents: [inRoom('workshop'), async (page) => page.keyboard.press('Control+k')],
  unread: ['/unread', async (page) => page.getByText('dentist').waitFor()],
  mentions: ['/mentions', async (page) => page.getByText('dentist').waitFor()],
  search: ['/search?q=chain', async (page) => page.locator('[data-hit]').first().waitFor()],
  'search-empty': ['/search?q=zeppelin', async (page) => page.getByRole('heading', { name: /Nothing/ }).waitFor()],
  create: ['/', async (page) => page.getByRole('button', { name: 'New room' }).first().click()],
  browse: ['/', async (page) => page.getByRole('button', { name: 'Browse channels' }).first().click()],
  keys: [
    inRoom('workshop'),
    async (page) => {
      await page.locator('[data-timeline]').focus();
      await page.keyboard.press('?');
    },
  ],
  settings: ['/settings/profile', async () => {}],
  notifications: [
    '/settings/notifications',
    async (page) => page.getByRole('radio', { name: 'What calls me' }).check(),
  ],
  appearance: ['/settings/appearance', async () => {}],
  sessions: ['/settings/sessions', async () => {}],
  people: ['/admin/people', async () => {}],
  figures: ['/admin/figures', async () => {}],
  list: ['/', async () => {}],
  missing: ['/r/999', async () => {}],
  // Last of all: what is written stays where it was written.
  completion: [inRoom('front-desk'), async (page) => page.locator('[data-composer]').pressSequentially('Thanks @')],
  group: [
    inRoom('workshop'),
    async (page) => {
      await page.locator('[data-composer]').pressSequentially('The June ride needs lights, @me');
      await page.getByRole('option', { name: /menders/ }).waitFor();
    },
  ],
  preview: [
    inRoom('workshop'),
    async (page) => {
      await page.locator('[data-composer]').fill('**Forty** cables, and\n\n- quick links\n- a *large* flag');
      await page.keyboard.press('Control+Shift+Enter');
    },
  ],
};

try {
  if (folder) {
    const only = process.argv.slice(3);
    for (const [size, viewport] of Object.entries({ wide: WIDE, phone: PHONE })) {
      for (const theme of ['light', 'dark']) {
        const context = await device(theme, viewport);
        for (const [name, [path, act]] of Object.entries(VIEWS)) {
          if (only.length > 0 && !only.includes(name)) continue;
          const page = await open(context, path);
          await act(page).catch((error) => {
            console.error(`${name}, ${size}, ${theme}: ${error.message.split('\n')[0]}`);
            process.exitCode = 1;
          });
          await take(page, `${name}-${size}-${theme}`);
        }
        await context.close();
        const stranger = await device(theme, viewport, null);
        await take(await open(stranger, '/'), `door-${size}-${theme}`);
        await stranger.close();
      }
    }
  } else {
    for (const [name, view, theme, viewport] of [
      ['room', 'room', 'light', WIDE],
      ['dark', 'details', 'dark', WIDE],
      ['switcher', 'switcher', 'light', WIDE],
      ['phone', 'rides', 'dark', PHONE],
    ]) {
      const [path, act] = VIEWS[view];
      const context = await device(theme, viewport);
      const page = await open(context, path);
      await act(page);
      await take(page, name);
      await context.close();
    }
  }
} finally {
  await browser.close();
  await community.close();
}
