/** The admin's view: people and what may be done to them, rooms, the record, and live figures. */
import { describe, expect, it } from 'vitest';
import { eventually, openHouse } from './house.js';

const house = openHouse({ FIGURE_SECONDS: '1' });
// The first account of a server is its admin.
const ada = house.resident('ada', 'Ada Lovelace');

describe('[A4] the admin’s view', () => {
  it('is for admins alone, and says so to others', async () => {
    await house.join('uma');
    const page = await house.enter('uma', '/admin/people');
    await page.getByRole('heading', { name: 'This is for admins' }).waitFor();
    await page.getByRole('button', { name: 'Your account' }).click();
    await page.getByRole('link', { name: 'Settings' }).waitFor();
    expect(await page.getByRole('link', { name: 'Administration' }).count()).toBe(0);
  });

  it('finds somebody, deactivates and reactivates, and their pages close', async () => {
    const bob = await house.join('bob', 'Bob Ross');
    const other = await house.enter('bob');
    const page = await house.enter('ada');
    await page.getByRole('button', { name: 'Your account' }).click();
    await page.getByRole('link', { name: 'Administration' }).click();
    await page.waitForURL('**/admin/people');
    await page.getByLabel('Find people').fill('bob r');
    await page
      .getByRole('list', { name: 'People' })
      .getByRole('link', { name: /Bob Ross/ })
      .click();
    await page.waitForURL(`**/admin/people/${bob.id}`);
    await page.getByRole('list', { name: 'Sessions' }).getByText('Chrome on Linux').waitFor();
    await page.getByRole('button', { name: 'Deactivate' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Deactivate' }).click();
    await page.getByText('deactivated', { exact: true }).waitFor();
    await other.getByText('Your session was ended').waitFor();
    await page.getByRole('button', { name: 'Reactivate' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Reactivate' }).click();
    await page.getByRole('button', { name: 'Deactivate' }).waitFor();
    expect(await ada.api.user(bob.id)).toMatchObject({ status: 'active' });
  });

  it('gives and takes the role, whose pages come and go at once; the last admin stays one', async () => {
    const cleo = await house.join('cleo', 'Cleo Adams');
    const other = await house.enter('cleo', '/admin/people');
    await other.getByRole('heading', { name: 'This is for admins' }).waitFor();
    const page = await house.enter('ada', `/admin/people/${cleo.id}`);
    await page.getByRole('button', { name: 'Make admin' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Make admin' }).click();
    await other.getByRole('list', { name: 'People' }).waitFor();
    await page.getByRole('button', { name: 'No longer admin' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'No longer admin' }).click();
    await other.getByRole('heading', { name: 'This is for admins' }).waitFor();
    await page.goto(`${house.url}/admin/people/${ada.id}`);
    await page.getByRole('button', { name: 'No longer admin' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'No longer admin' }).click();
    await page.getByRole('alert').filter({ hasText: 'at least one admin' }).waitFor();
  });

  it('ends somebody’s sessions, and deletes an account when its name is written', async () => {
    const dan = await house.join('dan', 'Dan Brown');
    const other = await house.enter('dan');
    const page = await house.enter('ada', `/admin/people/${dan.id}`);
    await page.getByRole('button', { name: 'End all sessions' }).click();
    await page.getByText('Not logged in anywhere.').waitFor();
    await other.getByText('Your session was ended').waitFor();
    await page.getByRole('button', { name: 'Delete account' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Write “dan” to go on').fill('da');
    expect(await dialog.getByRole('button', { name: 'Delete account' }).isDisabled()).toBe(true);
    await dialog.getByLabel('Write “dan” to go on').fill('dan');
    await dialog.getByRole('button', { name: 'Delete account' }).click();
    await page.getByRole('heading', { name: 'Deleted User' }).waitFor();
    expect(await page.getByRole('button', { name: 'Delete account' }).count()).toBe(0);
    await page.getByRole('link', { name: 'Audit' }).click();
    const rows = page.getByRole('list', { name: 'Audit' }).getByRole('listitem');
    await rows.filter({ hasText: 'Ada Lovelace deleted Deleted User' }).first().waitFor();
  });

  it('lists groups and channels of others without a way in, and no direct rooms', async () => {
    const eve = await house.join('eve', 'Eve Example');
    await eve.api.createRoom({ kind: 'channel', name: 'hidden', visibility: 'private' });
    const mine = await ada.api.createRoom({ kind: 'channel', name: 'mine' });
    await eve.api.openDirect(ada.id);
    const page = await house.enter('ada', '/admin/rooms');
    const rows = page.getByRole('list', { name: 'Rooms' }).getByRole('listitem');
    await rows.filter({ hasText: 'hidden' }).waitFor();
    expect(await rows.filter({ hasText: 'hidden' }).getByRole('link').count()).toBe(0);
    expect(await rows.filter({ hasText: 'mine' }).getByRole('link').getAttribute('href')).toBe(`/r/${mine.id}`);
    expect(await rows.filter({ hasText: 'Eve' }).count()).toBe(0);
    await page.getByLabel('Find a room').fill('hid');
    await eventually('the others are left out', async () => (await rows.count()) === 1);
  });

  it('shows figures that move, and says when they stand still', async () => {
    const room = await ada.api.createRoom({ kind: 'channel', name: 'busy' });
    const page = await house.enter('ada', '/admin/figures');
    const total = page.locator('dl div').filter({ hasText: 'Messages' }).locator('dd');
    await total.waitFor();
    const before = Number(await total.textContent());
    for (let count = 0; count < 10; count += 1) await ada.api.sendMessage(room.id, { text: `one of ten: ${count}` });
    await eventually('the total moves', async () => Number(await total.textContent()) === before + 10);
    const events = page.getByRole('figure', { name: 'Events a second' });
    await events.getByText(/^at most (?!0$)/).waitFor();
    await page.getByRole('figure', { name: 'Memory' }).getByText('MiB').first().waitFor();
    house.cut();
    await page.getByText('These figures stand still.').waitFor();
    house.mend();
    await page.getByText('This node has been running since').waitFor();
  });
});
