/** Shared pages of the log: read once, kept in bounded memory, never older than what is asked of them. */
import { PAGE_EVENTS, Pages } from '@natter/server/hub/pages';
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeStore, sent, turns } from './fixtures.js';

const ROOM = 11;

let store: FakeStore;
let pages: Pages;

beforeEach(() => {
  store = new FakeStore();
  pages = new Pages(store.node(), 1_000_000);
});

const fill = (count: number, room = ROOM): void => {
  store.append(Array.from({ length: count }, () => sent(room, 'x'.repeat(100))));
};

describe('pages', () => {
  it('are read once while many ask, and kept for those who ask later', async () => {
    fill(PAGE_EVENTS + 10);
    const runs = await Promise.all([pages.read(ROOM, 0), pages.read(ROOM, 5), pages.read(ROOM, PAGE_EVENTS - 1)]);
    expect(new Set(runs).size).toBe(1);
    expect(await pages.read(ROOM, PAGE_EVENTS + 9)).toMatchObject({ first: PAGE_EVENTS + 1, last: PAGE_EVENTS + 10 });
    expect(await pages.read(ROOM, PAGE_EVENTS)).toMatchObject({ last: PAGE_EVENTS + 10 });
    expect(store.reads).toHaveLength(2);
  });

  it('that the log had not filled are read again for what came since', async () => {
    fill(10);
    expect((await pages.read(ROOM, 0)).last).toBe(10);
    fill(10);
    expect((await pages.read(ROOM, 9)).last).toBe(10);
    expect((await pages.read(ROOM, 10)).last).toBe(20);
    const run = await pages.read(ROOM, 0);
    expect(run.last).toBe(20);
    expect(store.reads).toHaveLength(2);
    expect(pages.bytes).toBe(run.bytes);
  });

  it('that were under way when the event was committed are read again', async () => {
    fill(10);
    store.held = true;
    store.early = () => true;
    const first = pages.read(ROOM, 0);
    fill(1);
    const second = pages.read(ROOM, 10);
    await turns();
    store.release();
    await turns();
    store.release();
    expect([(await first).last, (await second).last]).toEqual([10, 11]);
  });

  it('say so when the log does not have what it must have', async () => {
    fill(10);
    await expect(pages.read(ROOM, 10)).rejects.toThrow('nothing after 10');
  });

  it('take no more bytes than they may, and those used longest ago go first', async () => {
    for (const room of [1, 2, 3, 4]) fill(PAGE_EVENTS, room);
    const { bytes } = await pages.read(1, 0);
    pages = new Pages(store.node(), bytes * 3);
    for (const room of [1, 2, 3, 1, 4]) await pages.read(room, 0);
    expect(pages.bytes).toBe(bytes * 3);
    store.reads.length = 0;
    for (const room of [1, 3, 4]) await pages.read(room, 0);
    expect(store.reads).toEqual([]);
    await pages.read(2, 0);
    expect(store.reads).toEqual(['events 2 0']);
  });

  it('[L6] that were read before a deletion are forgotten, those under way too', async () => {
    fill(20);
    await pages.read(ROOM, 0);
    store.redact(ROOM, 3);
    pages.forget(ROOM);
    expect(pages.bytes).toBe(0);
    expect((await pages.read(ROOM, 0)).entries[2]?.event.body).toContain('redacted');
    pages.forget(ROOM);
    store.held = true;
    store.early = (read) => read === 3;
    const under = pages.read(ROOM, 0);
    await turns();
    store.redact(ROOM, 4);
    pages.forget(ROOM);
    store.release();
    await turns();
    store.release();
    expect((await under).entries[3]?.event.body).toContain('redacted');
  });

  it('[L6] that are being read again while the old one goes are forgotten too', async () => {
    const other = 12;
    fill(10);
    fill(10, other);
    const { bytes } = await pages.read(ROOM, 0);
    pages = new Pages(store.node(), bytes * 1.5);
    await pages.read(ROOM, 0);
    fill(1);
    store.held = true;
    store.early = () => true;
    const again = pages.read(ROOM, 10);
    const pushesOut = pages.read(other, 0);
    await turns();
    store.release(1);
    await pushesOut;
    store.redact(ROOM, 3);
    pages.forget(ROOM);
    store.release();
    await turns();
    store.release();
    expect((await again).entries[2]?.event.body).toContain('redacted');
  });

  it('that could not be read are asked for again', async () => {
    fill(10);
    store.broken = new Error('the disk is gone');
    await expect(pages.read(ROOM, 0)).rejects.toThrow('the disk is gone');
    store.broken = null;
    expect((await pages.read(ROOM, 0)).last).toBe(10);
  });
});
