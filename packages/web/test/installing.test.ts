/** What a browser needs to offer the app as one of its own. */
import { expect, it } from 'vitest';
import { openHouse } from './house.js';

const house = openHouse({}, { shell: true });

it('has a manifest that the browser takes without complaint, and an icon that is there', async () => {
  const context = await house.device();
  const page = await context.newPage();
  await page.goto(house.url);
  const debug = await context.newCDPSession(page);
  const { url, errors, data } = await debug.send('Page.getAppManifest');
  expect(url).toBe(`${house.url}/manifest.webmanifest`);
  expect(errors).toEqual([]);
  const manifest = JSON.parse(data ?? '');
  expect(manifest).toMatchObject({ name: 'Natter', start_url: '/', display: 'standalone' });
  for (const { src, type } of manifest.icons) {
    const icon = await fetch(house.url + src);
    expect([icon.status, icon.headers.get('content-type')]).toEqual([200, type]);
  }
  const purposes = manifest.icons.map(
    ({ sizes, purpose }: { sizes: string; purpose: string }) => `${sizes} ${purpose}`,
  );
  for (const size of ['192x192', '512x512'])
    expect(purposes).toEqual(expect.arrayContaining([`${size} any`, `${size} maskable`]));
  expect((await fetch(url)).headers.get('content-type')).toMatch(/^application\/manifest\+json/);
  const { installabilityErrors } = await debug.send('Page.getInstallabilityErrors');
  // A window of a test is one in private, in which nothing is installed.
  expect(installabilityErrors.filter(({ errorId }) => errorId !== 'in-incognito')).toEqual([]);
});

it('has icons of the sizes that they name, one for Apple too, and a colour for the frame in light and dark', async () => {
  const page = await (await house.device()).newPage();
  await page.goto(house.url);
  const sizeOf = (src: string) =>
    page.evaluate(async (it) => {
      const image = new Image();
      image.src = it;
      await image.decode();
      return `${image.naturalWidth}x${image.naturalHeight}`;
    }, src);
  const { icons } = await (await fetch(`${house.url}/manifest.webmanifest`)).json();
  for (const { src, sizes } of icons.filter(({ type }: { type: string }) => type === 'image/png')) {
    expect(await sizeOf(src)).toBe(sizes);
  }
  const apple = await page.locator('link[rel="apple-touch-icon"]').getAttribute('href');
  expect(await sizeOf(apple ?? '')).toBe('180x180');
  const colours = await page
    .locator('meta[name="theme-color"]')
    .evaluateAll((all) => all.map((meta) => meta.getAttribute('media')));
  expect(colours).toEqual(['(prefers-color-scheme: light)', '(prefers-color-scheme: dark)']);
});
