/** What a browser needs to offer the app as one of its own. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { House } from './house.js';

let house: House;
beforeAll(async () => {
  house = await House.open();
});
afterAll(async () => {
  expect(house.complaints).toEqual([]);
  await house.close();
});

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
  const { installabilityErrors } = await debug.send('Page.getInstallabilityErrors');
  // A window of a test is one in private, in which nothing is installed.
  expect(installabilityErrors.filter(({ errorId }) => errorId !== 'in-incognito')).toEqual([]);
});
