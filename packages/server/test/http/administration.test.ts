/** What admins read over HTTP: rooms as a list, and how the server does. Nobody else reads either. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSite, type Person, type Site } from './site.js';

let site: Site;
let ada: Person;
let bob: Person;
beforeAll(async () => {
  site = await openSite({ FIGURE_SECONDS: '1', FIGURES_MAX: '10' });
  ada = await site.join('ada');
  bob = await site.join('bob');
});
afterAll(() => site.close());

const as = ({ token }: Person) => ({ token });

describe('[A4] what admins alone read', () => {
  it('is refused to everybody else', async () => {
    for (const path of ['/v1/admin/rooms', '/v1/admin/figures']) {
      expect((await site.ask('GET', path, as(bob))).status).toBe(403);
      expect((await site.ask('GET', path)).status).toBe(401);
      expect((await site.ask('GET', path, as(ada))).status).toBe(200);
    }
  });

  it('ends with the role', async () => {
    const cleo = await site.join('cleo');
    await site.ask('PUT', `/v1/users/${cleo.id}/role`, { ...as(ada), body: { role: 'admin' } });
    expect((await site.ask('GET', '/v1/admin/rooms', as(cleo))).status).toBe(200);
    await site.ask('PUT', `/v1/users/${cleo.id}/role`, { ...as(ada), body: { role: 'user' } });
    expect((await site.ask('GET', '/v1/admin/rooms', as(cleo))).status).toBe(403);
  });

  it('[A1] lists groups and channels that they are not in, but neither direct rooms nor what is said', async () => {
    const dora = await site.join('dora');
    const make = async (body: object) => (await site.ask('POST', '/v1/rooms', { ...as(bob), body })).body.id as number;
    const hidden = await make({ kind: 'channel', name: 'Hidden_100%', topic: 'a topic', visibility: 'private' });
    const group = await make({ kind: 'group', name: '', members: [dora.id] });
    const gone = await make({ kind: 'channel', name: 'gone' });
    await site.ask('DELETE', `/v1/rooms/${gone}`, as(bob));
    await site.ask('PUT', `/v1/rooms/${group}/archived`, { ...as(bob), body: { archived: true } });
    const direct = await site.ask('POST', '/v1/directs', { ...as(bob), body: { user: dora.id } });
    await site.ask('POST', `/v1/rooms/${hidden}/messages`, { ...as(bob), body: { text: 'between us' } });

    const all = await site.ask('GET', '/v1/admin/rooms', as(ada));
    expect(all.body.next).toBeNull();
    expect(all.body.rooms.map(({ id }: { id: number }) => id)).toEqual([hidden, group]);
    expect(all.body.rooms.map(({ id }: { id: number }) => id)).not.toContain(direct.body.id);
    expect(JSON.stringify(all.body)).not.toMatch(/between us|a topic/);
    expect(all.body.rooms[0]).toMatchObject({
      kind: 'channel',
      name: 'Hidden_100%',
      visibility: 'private',
      archived: false,
      memberCount: 1,
      messages: 1,
      createdBy: bob.id,
    });
    expect(all.body.rooms[1]).toMatchObject({ kind: 'group', name: '', archived: true, memberCount: 2, messages: 0 });
    // Seeing that it is there is no way in.
    expect((await site.ask('GET', `/v1/rooms/${hidden}/messages`, as(ada))).status).toBe(404);

    const first = await site.ask('GET', '/v1/admin/rooms?limit=1', as(ada));
    expect(first.body.rooms.map(({ id }: { id: number }) => id)).toEqual([hidden]);
    const second = await site.ask('GET', `/v1/admin/rooms?limit=1&after=${first.body.next}`, as(ada));
    expect(second.body.rooms.map(({ id }: { id: number }) => id)).toEqual([group]);
    expect(second.body.next).toBeNull();
    for (const [q, found] of [
      ['HIDDEN', [hidden]],
      ['_100%', [hidden]],
      ['H_dden', []],
      ['%', [hidden]],
    ] as const) {
      const answer = await site.ask('GET', `/v1/admin/rooms?q=${encodeURIComponent(q)}`, as(ada));
      expect(answer.body.rooms.map(({ id }: { id: number }) => id)).toEqual(found);
    }
  });

  it('shows how the server does: from real counts, no more of them than are kept, and those since a time', async () => {
    const room = (await site.ask('POST', '/v1/rooms', { ...as(bob), body: { kind: 'channel', name: 'busy' } })).body.id;
    const read = async (query = '') => (await site.ask('GET', `/v1/admin/figures${query}`, as(ada))).body;
    const before = await read();
    const sum = (name: string, { figures }: { figures: Record<string, number>[] }) =>
      figures.reduce((total, figure) => total + (figure[name] ?? 0), 0);
    for (let count = 0; count < 20; count += 1) {
      await site.ask('POST', `/v1/rooms/${room}/messages`, { ...as(bob), body: { text: `message ${count}` } });
    }
    const since = before.figures.at(-1)?.at ?? before.startedAt;
    let now = await read(`?since=${encodeURIComponent(since)}`);
    while (sum('events', now) < 10) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      now = await read(`?since=${encodeURIComponent(since)}`);
    }
    expect(now.node).toBe(before.node);
    expect(now.messages).toBe(before.messages + 20);
    expect(now.users).toBeGreaterThanOrEqual(2);
    expect(now.figures.every(({ at }: { at: string }) => at > since)).toBe(true);
    const busiest = now.figures.find(({ events }: { events: number }) => events > 0);
    expect(busiest.commitMilliseconds).toBeGreaterThan(0);
    expect(busiest.requestMilliseconds).toBeGreaterThan(0);
    expect(busiest.requests).toBeGreaterThan(0);
    expect(busiest.memory).toBeGreaterThan(10_000_000);
    expect(busiest.busy).toBeGreaterThan(0);
    expect(busiest.busy).toBeLessThanOrEqual(1);
    expect((await read()).figures.length).toBeLessThanOrEqual(10);
    expect((await site.ask('GET', '/v1/admin/figures?since=yesterday', as(ada))).status).toBe(422);
  });
});
