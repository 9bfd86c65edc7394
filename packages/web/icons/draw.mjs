// Draws the app's icons (packages/web/public) from the server's own: node packages/web/icons/draw.mjs
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const PAGES = new URL('../../server/src/http/pages.ts', import.meta.url);
const [logo] = /<svg.*<\/svg>/.exec(readFileSync(PAGES, 'utf8')) ?? [];
if (!logo) throw new Error('the server has no icon');

/** Ground of the icons that platforms cut to a shape of their own. */
const GROUND = '#f5f2ec';
/** How much of the width the picture takes: what is cut off lies outside of the middle 80 %. */
const ICONS = [
  ['icon-192', 192, 0.92, 'transparent'],
  ['icon-512', 512, 0.92, 'transparent'],
  ['maskable-192', 192, 0.56, GROUND],
  ['maskable-512', 512, 0.56, GROUND],
  ['apple-touch-icon', 180, 0.66, GROUND],
];

const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
const page = await browser.newPage();
for (const [name, size, part, ground] of ICONS) {
  await page.setViewportSize({ width: size, height: size });
  await page.setContent(`<style>
    body { margin: 0; display: grid; place-items: center; height: 100vh; background: ${ground}; }
    svg { width: ${part * 100}%; }
  </style>${logo}`);
  const path = fileURLToPath(new URL(`../public/${name}.png`, import.meta.url));
  await page.screenshot({ path, omitBackground: true });
}
await browser.close();
