/** The settings: who one is, how one gets in, where one is logged in, and how this device shows it. */
import { describe, expect, it } from 'vitest';
import { composer, eventually, logInAt, message, openHouse, PASSWORD, sentMessage } from './house.js';

const house = openHouse();

describe('settings', () => {
  it('changes the profile, and others see it at once; says what can’t be', async () => {
    const ada = await house.join('ada');
    await house.join('taken');
    const page = await house.enter('ada');
    await page.getByRole('button', { name: 'Your account' }).click();
    await page.getByRole('link', { name: 'Settings' }).click();
    await page.waitForURL('**/settings/profile');
    await page.getByLabel('Full name').fill('Ada Lovelace');
    await page.getByLabel('E-mail address').fill('ada@example.org');
    await page.getByLabel('About you').fill('Writes programs');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved').waitFor();
    await page.getByRole('navigation').getByText('Ada Lovelace').waitFor();
    expect(await ada.api.me()).toMatchObject({
      fullName: 'Ada Lovelace',
      email: 'ada@example.org',
      about: 'Writes programs',
    });
    await page.getByLabel('About you').fill('x'.repeat(1_001));
    await page.getByRole('button', { name: 'Save' }).click();
    await page.locator('[aria-invalid="true"]').waitFor();
    expect((await ada.api.me()).about).toBe('Writes programs');
    // Another device shows what was changed here.
    await page.getByLabel('About you').fill('');
    await ada.api.changeMe({ fullName: 'Countess Ada' });
    await page.getByRole('navigation').getByText('Countess Ada').waitFor();
  });

  it('changes the password with the old one, and with no other', async () => {
    await house.join('bob');
    const page = await house.enter('bob', '/settings/password');
    await page.getByLabel('Your password now').fill('not his');
    await page.getByLabel('New password').fill('staple correct battery');
    await page.getByRole('button', { name: 'Change password' }).click();
    await page.getByText('That is not your password.').waitFor();
    await page.getByLabel('Your password now').fill(PASSWORD);
    await page.getByRole('button', { name: 'Change password' }).click();
    await page.getByText('The password is changed.').waitFor();
    expect(await page.getByLabel('New password').inputValue()).toBe('');
    const other = await (await house.device()).newPage();
    await other.goto(house.url);
    await other.getByLabel('Name or e-mail address').fill('bob');
    await other.getByLabel('Password', { exact: true }).fill('staple correct battery');
    await other.getByRole('button', { name: 'Log in', exact: true }).click();
    await other.locator('[data-home]').waitFor();
  });

  it('[S2] lists sessions, ends one of them, all others, and all', async () => {
    await house.join('cleo');
    const page = await house.enter('cleo', '/settings/sessions');
    const [second, third] = [await house.enter('cleo'), await house.enter('cleo')];
    await page.reload();
    const list = page.getByRole('list', { name: 'Sessions' }).getByRole('listitem');
    // The three pages, and the one that acts by program.
    await eventually('all are listed', async () => (await list.count()) === 4);
    await list.filter({ hasText: 'this one' }).filter({ hasText: 'Chrome on Linux' }).waitFor();
    expect(await list.filter({ hasText: 'this one' }).getByRole('button').count()).toBe(0);
    // The newest use stands first: the third page is the one that was opened last.
    const end = list.filter({ hasText: 'Chrome on Linux' }).getByRole('button', { name: 'End' });
    await end.first().click();
    await eventually('one is gone', async () => (await list.count()) === 3);
    const out = (one: typeof page) => one.getByText('Your session was ended').isVisible();
    await eventually('one of both is out', async () => (await out(second)) !== (await out(third)));
    await page.getByRole('button', { name: 'End all others' }).click();
    await eventually('the others are out', async () => (await out(second)) && (await out(third)));
    await eventually('this one is left', async () => (await list.count()) === 1);
    await logInAt(second, 'cleo');
    await page.getByRole('button', { name: 'Leave everywhere' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Leave everywhere' }).click();
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    await second.getByText('Your session was ended').waitFor();
    expect(await page.context().cookies(`${house.url}/v1/sessions`)).toEqual([]);
  });

  it('looks as it was chosen, on this device, in all of its tabs, after a reload', async () => {
    const dora = await house.join('dora');
    const room = await dora.api.createRoom({ kind: 'channel', name: 'kitchen' });
    const page = await house.enter('dora', '/settings/appearance');
    const tab = await page.context().newPage();
    await tab.goto(`${house.url}/r/${room.id}`);
    await composer(tab).waitFor();
    const look = () => tab.evaluate(() => ({ ...document.documentElement.dataset }));
    await page.getByLabel('Dark').check();
    await page.getByLabel('Compact').check();
    await page.getByRole('radio', { name: /^Begins a line/ }).check();
    await eventually('the other tab follows', async () => (await look()).density === 'compact');
    expect(await look()).toMatchObject({ theme: 'dark', density: 'compact' });
    expect(await tab.evaluate(() => getComputedStyle(document.body).colorScheme)).toBe('dark');
    await tab.reload();
    await composer(tab).waitFor();
    expect(await look()).toMatchObject({ theme: 'dark', density: 'compact' });
    // Enter makes a line now, and Ctrl+Enter sends.
    await composer(tab).fill('one');
    await composer(tab).press('Enter');
    await composer(tab).pressSequentially('two');
    expect(await composer(tab).inputValue()).toBe('one\ntwo');
    await composer(tab).press('Control+Enter');
    await sentMessage(tab, 'two').waitFor();
    expect(await composer(tab).inputValue()).toBe('');
    await composer(tab).press('ArrowUp');
    await tab.getByLabel('Edit message').press('Enter');
    await tab.getByLabel('Edit message').pressSequentially('three');
    await tab.getByLabel('Edit message').press('Control+Enter');
    await message(tab, 'three').waitFor();
    await page.getByLabel('Light').check();
    await eventually('and back', async () => (await look()).theme === 'light');
  });

  it('deletes the account when its name is written, and only then', async () => {
    await house.join('eve');
    const page = await house.enter('eve', '/settings/profile');
    await page.getByRole('button', { name: 'Delete account' }).click();
    const dialog = page.getByRole('dialog');
    const go = dialog.getByRole('button', { name: 'Delete account' });
    expect(await go.isDisabled()).toBe(true);
    await dialog.getByLabel('Write “eve” to go on').fill('eve');
    await go.click();
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    await page.getByLabel('Name or e-mail address').fill('eve');
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByRole('button', { name: 'Log in', exact: true }).click();
    await page.getByRole('alert').filter({ hasText: 'do not belong together' }).waitFor();
  });
});
