/** The door: accounts, sessions, and what a reload keeps. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { logInAt, openHouse, PASSWORD } from './house.js';

const house = openHouse();

describe('the door', () => {
  it('makes an account, and stays logged in over a reload, with no token where a script could find it', async () => {
    const context = await house.device();
    const page = await context.newPage();
    await page.goto(`${house.url}/`);
    await page.getByRole('button', { name: 'Create an account' }).click();
    await page.getByLabel('Name', { exact: true }).fill('ada');
    await page.getByLabel('Full name').fill('Ada Lovelace');
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByRole('button', { name: 'Create an account' }).click();
    await page.getByRole('heading', { name: 'Welcome, Ada Lovelace' }).waitFor();
    for (let reload = 0; reload < 3; reload += 1) {
      await page.reload();
      await page.getByRole('heading', { name: 'Welcome, Ada Lovelace' }).waitFor();
    }
    const [cookie, ...others] = await context.cookies(`${house.url}/v1/sessions`);
    expect(others).toEqual([]);
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/v1/sessions' });
    const kept = await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }) + document.cookie);
    expect(kept).not.toContain(cookie?.value);
    expect(kept).not.toMatch(/eyJ/);
  });

  it('[S3] survives reloads that cut off the answer to a refresh', async () => {
    await house.join('hasty');
    const page = await house.enterByDoor('hasty');
    const [cookie] = await page.context().cookies(`${house.url}/v1/sessions`);
    const headers = {
      'content-type': 'application/json',
      cookie: `${cookie?.name}=${cookie?.value}`,
      'sec-fetch-site': 'same-origin',
    };
    // As of a page that is gone before the answer is there: the browser still has the token that was used.
    for (let reload = 0; reload < 3; reload += 1) {
      const lost = await fetch(`${house.url}/v1/sessions/refresh`, {
        method: 'POST',
        headers,
        body: '{"cookie":true}',
      });
      expect(lost.status).toBe(200);
    }
    await page.reload();
    await page.getByRole('navigation').waitFor();
  });

  it('says what is wrong: a password that is not theirs, a name that is taken', async () => {
    await house.join('bob');
    const page = await (await house.device()).newPage();
    await page.goto(`${house.url}/`);
    await page.getByLabel('Name or e-mail address').fill('bob');
    await page.getByLabel('Password', { exact: true }).fill('not his password');
    await page.getByRole('button', { name: 'Log in', exact: true }).click();
    await page.getByRole('alert').filter({ hasText: 'do not belong together' }).waitFor();
    await page.getByRole('button', { name: 'Create an account' }).click();
    await page.getByLabel('Name', { exact: true }).fill('bob');
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByRole('button', { name: 'Create an account' }).click();
    await page.getByRole('alert').filter({ hasText: 'Somebody has that name already' }).waitFor();
  });

  it('leads back to the address that was asked for', async () => {
    const cleo = await house.join('cleo');
    const room = await cleo.api.createRoom({ kind: 'channel', name: 'kitchen' });
    const page = await house.enterByDoor('cleo', `/r/${room.id}`);
    await page.getByRole('heading', { name: 'kitchen', exact: true }).waitFor();
  });

  it('[S2] closes when the session is ended from elsewhere, and opens again', async () => {
    const dora = await house.join('dora');
    const page = await house.enterByDoor('dora');
    await dora.api.endSessions({ keepCurrent: true });
    await page.getByText('Your session was ended').waitFor();
    await logInAt(page, 'dora');
  });

  it('logs out: the cookie is gone, and a reload asks who one is', async () => {
    await house.join('eve');
    const page = await house.enterByDoor('eve');
    await logOut(page);
    await expect.poll(() => cookies(page)).toEqual([]);
    await page.reload();
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
  });

  it('[S2] is logged out on the server too when a reload cuts that off', async () => {
    await house.join('finn');
    const page = await house.enterByDoor('finn');
    const url = `${house.url}/v1/sessions/**`;
    const asked = page.waitForRequest((request) => request.method() === 'DELETE');
    let cut = false;
    // The first one never leaves. It stays held until the reload: let go of, it might be carried out and only its answer be lost.
    await page.route(url, (route) => {
      if (cut || route.request().method() !== 'DELETE') return route.fallback();
      cut = true;
      return undefined;
    });
    await logOut(page);
    await asked;
    expect(await cookies(page)).toHaveLength(1);
    await page.reload();
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    await expect.poll(() => cookies(page)).toEqual([]);
  });

  it('[S2] stays logged out when a refresh that was on its way is answered late', async () => {
    await house.join('gus');
    const page = await house.enterByDoor('gus');
    let answer = () => {};
    const late = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await page.route('**/v1/sessions/refresh', async (route) => {
      await late;
      await route.continue();
    });
    const asked = page.waitForRequest('**/v1/sessions/refresh');
    await page.reload();
    await asked;
    await logOut(page);
    const answered = page.waitForResponse('**/v1/sessions/refresh');
    answer();
    await answered;
    await expect.poll(() => cookies(page), { timeout: 20_000 }).toEqual([]);
    const kept = (key: string) => page.evaluate((name) => localStorage.getItem(name), key);
    await expect.poll(() => kept('natter:leaving'), { timeout: 15_000 }).toBeNull();
    // Nobody was let in meanwhile, only to be told that the session had ended.
    expect(await kept('natter:logged-in')).toBeNull();
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
  });

  async function logOut(page: Page): Promise<void> {
    await page.getByRole('button', { name: 'Your account' }).click();
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
  }

  function cookies(page: Page) {
    return page.context().cookies(`${house.url}/v1/sessions`);
  }
});
