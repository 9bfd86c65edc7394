/** What deleting leaves: nothing of the content, every place, and what others said [L6][S5]. */
import type { Draft, Store, StoredEvent } from '@natter/server/store/store';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { allEvents, Facts } from './facts.js';
import { type MakeSite, type Site, traces } from './site.js';

export function describeDeletion(make: MakeSite): void {
  let site: Site;
  let store: Store;
  let facts: Facts;

  beforeAll(async () => {
    site = await make();
    store = await site.open();
    facts = new Facts(store);
  });
  afterAll(async () => {
    await store.close();
    await site.remove();
  });

  const about = (sent: StoredEvent) => ({ message: sent.id, messageSeq: sent.seq });
  const edit = (sent: StoredEvent, text: string, more = {}): Draft => ({
    stream: sent.stream,
    type: 'message.edited',
    body: { ...about(sent), text, ...more },
  });
  const deletion = (sent: StoredEvent, more = {}): Draft => ({
    stream: sent.stream,
    type: 'message.deleted',
    body: { ...about(sent), ...more },
  });

  it('[L6] a deleted message is in no table, with all that it ever said, and its places stay', async () => {
    const [ada, ben] = (await facts.users(2)) as [number, number];
    const room = await facts.room([ada, ben]);
    const kept = await facts.send(room, ben, 'kept');
    const [sent] = (await facts.done(
      facts.sending(room, ada, {
        text: 'plum-one',
        replyTo: kept.id,
        thread: kept.id,
        mentions: { users: [ben] },
        extra: { secret: 'plum-extra' },
      }),
    )) as [StoredEvent];
    await facts.done(facts.entry(ada, [edit(sent, 'plum-two', { mentions: { everyone: true } })]));
    await facts.done(facts.entry(ada, [edit(sent, 'plum-three')]));
    const emoji = { stream: room, type: 'reaction.added' as const, body: { ...about(sent), emoji: 'plum-emoji' } };
    await facts.done(facts.entry(ben, [emoji]));
    await facts.done(facts.entry(ben, [{ stream: room, type: 'pin.added', body: about(sent) }]));
    const before = await allEvents(store, room);
    expect((await traces(store, /plum-(one|two|three|extra)/)).length).toBeGreaterThan(4);

    await facts.done(facts.entry(ben, [deletion(sent, { thread: kept.id, moderated: true })]));

    expect(await traces(store, /plum-(one|two|three|extra)/)).toEqual([]);
    const after = await allEvents(store, room);
    expect(after.slice(0, -1).map(({ id, seq, type, actor, at }) => [id, seq, type, actor, at])).toEqual(
      before.map(({ id, seq, type, actor, at }) => [id, seq, type, actor, at]),
    );
    expect(after.filter(({ type }) => type.startsWith('message.')).map(({ body }) => JSON.parse(body))).toEqual([
      { text: 'kept' },
      { text: '', replyTo: kept.id, thread: kept.id, redacted: true },
      { ...about(sent), text: '', redacted: true },
      { ...about(sent), text: '', redacted: true },
      { ...about(sent), thread: kept.id, moderated: true },
    ]);
    const messages = await store.db.selectFrom('messages').selectAll().where('room', '=', room).orderBy('id').execute();
    expect(messages).toMatchObject([
      { id: kept.id, text: 'kept', reply_count: 0, deleted_at: null },
      { id: sent.id, text: '', mentions: null, extra: null, deleted_by: ben, reply_to: kept.id, thread: kept.id },
    ]);
    for (const table of ['message_edits', 'reactions', 'pins', 'mentions'] as const) {
      expect(await store.db.selectFrom(table).selectAll().where('message', '=', sent.id).execute()).toEqual([]);
    }
  });

  it("[L6] deleting one message leaves every other one's text", async () => {
    const [ada] = (await facts.users(1)) as [number];
    const [room, elsewhere] = [await facts.room([ada]), await facts.room([ada])];
    const [gone, near, far] = [
      await facts.send(room, ada, 'gone'),
      await facts.send(room, ada, 'near'),
      await facts.send(elsewhere, ada, 'far'),
    ];
    for (const sent of [gone, near, far]) await facts.done(facts.entry(ada, [edit(sent, `${sent.seq} edited`)]));
    const before = await Promise.all([room, elsewhere].map((stream) => allEvents(store, stream)));
    await facts.done(facts.entry(ada, [deletion(gone)]));
    const after = await Promise.all([room, elsewhere].map((stream) => allEvents(store, stream)));
    expect(after[1]).toEqual(before[1]);
    const untouched = (events: StoredEvent[] | undefined) =>
      events?.filter(
        ({ seq, type, body }) =>
          seq !== gone.seq && type !== 'message.deleted' && !body.includes(`"message":${gone.id},`),
      );
    expect(untouched(after[0])).toEqual(untouched(before[0]));
  });

  it('[L6] a message that is sent and deleted by batches at once is gone as well', async () => {
    const [ada] = (await facts.users(1)) as [number];
    const room = await facts.room([ada]);
    const outcomes = await store.commit(
      Array.from({ length: 20 }, (_, i) => facts.sending(room, ada, { text: `pear-${i}` })),
    );
    const sent = outcomes.flatMap((outcome) => (outcome.kind === 'committed' ? outcome.events : []));
    await store.commit(sent.map((one) => facts.entry(ada, [edit(one, `${JSON.parse(one.body).text}-edited`)])));
    const others = sent.map((one) => [facts.entry(ada, [deletion(one)]), facts.sending(room, ada, { text: 'fig' })]);
    await store.commit(others.flat());
    expect(await traces(store, /pear-/)).toEqual([]);
  });

  it('[L6] deleting a thread’s first message keeps the replies', async () => {
    const [ada] = (await facts.users(1)) as [number];
    const room = await facts.room([ada]);
    const root = await facts.send(room, ada, 'root');
    const reply = { text: 'reply', replyTo: root.id, thread: root.id };
    await facts.done(facts.sending(room, ada, reply));
    await facts.done(facts.entry(ada, [deletion(root)]));
    const rows = await store.db.selectFrom('messages').selectAll().where('room', '=', room).orderBy('id').execute();
    expect(rows).toMatchObject([
      { text: '', reply_count: 1 },
      { text: 'reply', thread: root.id, deleted_at: null },
    ]);
  });

  it('[L6] a deleted room is purged in slices: no text and no name of it stays, and every place does', async () => {
    const [ada, ben] = (await facts.users(2)) as [number, number];
    const room = await facts.room([ada, ben], { name: 'quince-name', topic: 'quince-topic' });
    await facts.done(facts.entry(ada, [{ stream: room, type: 'room.changed', body: { name: 'quince-renamed' } }]));
    const beside = await facts.room([ada], { name: 'beside' });
    const stays = await facts.send(beside, ada, 'stays');
    for (let i = 0; i < 25; i += 1) {
      const sent = await facts.send(room, ada, `quince-${i}`);
      await facts.done(facts.entry(ada, [edit(sent, `quince-${i}-edited`, { mentions: { users: [ben] } })]));
    }
    const places = (await allEvents(store, room)).map(({ id, seq, type, actor, at }) => ({ id, seq, type, actor, at }));
    await facts.done(facts.entry(ada, [{ stream: room, type: 'room.deleted', body: {} }]));
    // Gone for its members with the commit; its content goes behind it.
    expect(await store.db.selectFrom('members').selectAll().where('room', '=', room).execute()).toEqual([]);
    const jobs = (await store.dueJobs(Number.MAX_SAFE_INTEGER, 1_000)).filter(({ subject }) => subject === room);
    expect(jobs).toMatchObject([{ kind: 'purge_room', attempts: 0 }]);

    let slices = 1;
    while (!(await store.purgeRoom(room, 10))) slices += 1;
    expect(slices).toBe(3);
    expect(await store.purgeRoom(room, 10)).toBe(true);

    expect(await traces(store, /quince/)).toEqual([]);
    const after = await allEvents(store, room);
    expect(after.slice(0, -1).map(({ id, seq, type, actor, at }) => ({ id, seq, type, actor, at }))).toEqual(places);
    // What is left of a body is still one of its type: the log can be read on.
    expect(JSON.parse(after[0]?.body ?? '')).toMatchObject({
      kind: 'group',
      name: '',
      topic: '',
      members: [{ user: ada }, {}],
    });
    expect(JSON.parse(after[1]?.body ?? '')).toEqual({ name: '' });
    expect(JSON.parse(after[2]?.body ?? '')).toEqual({ text: '', redacted: true });
    const message = after[2]?.id;
    expect(JSON.parse(after[3]?.body ?? '')).toEqual({ message, messageSeq: 3, text: '', redacted: true });
    const left = await store.db
      .selectFrom('messages')
      .select(['id', 'text'])
      .where('room', 'in', [room, beside])
      .execute();
    expect(left).toEqual([{ id: stays.id, text: 'stays' }]);
  });

  it('[S5] a deleted account leaves its messages and nothing about the person', async () => {
    const [ada] = (await facts.users(1)) as [number];
    const email = 'cherry@example.com';
    const body = { name: 'cherry', nameKey: 'cherry-key', email, fullName: 'Cherry Full' };
    const claims = (owner: number) => [
      { space: 'user.name' as const, value: 'cherry-key', owner },
      { space: 'user.email' as const, value: email, owner },
    ];
    const user = await facts.user(body);
    const session = { refreshHash: 'cherry-refresh', expiresAt: 9e12, address: '192.0.2.77', dialect: '' };
    await facts.done(
      facts.entry(
        user,
        [
          { stream: user, type: 'user.changed', body: { about: 'cherry-about', fullName: 'Cherry Other' } },
          { stream: user, type: 'password.changed', body: {}, secret: { passwordHash: 'cherry-hash' } },
          {
            stream: user,
            type: 'session.started',
            body: { session: 'cherry-session', agent: 'cherry-agent', expiresAt: '2033-01-01T00:00:00.000Z' },
            secret: { session },
          },
        ],
        { claims: claims(user) },
      ),
    );
    const group = await store.reserveStreams(1);
    const groupBody = { name: 'crew', description: '', members: [user, ada] };
    await facts.done(facts.entry(ada, [{ stream: group, type: 'usergroup.created', body: groupBody }]));
    const room = await facts.room([ada, user]);
    const said = await facts.send(room, user, 'what was said');
    await store.touchUsers([{ user, at: 5 }]);
    expect((await traces(store, /cherry/)).length).toBeGreaterThan(4);

    await facts.done(facts.entry(ada, [{ stream: user, type: 'user.deleted', body: {} }]));

    expect(await traces(store, /cherry|192\.0\.2\.77/i)).toEqual([]);
    expect(await store.db.selectFrom('users').selectAll().where('id', '=', user).executeTakeFirst()).toMatchObject({
      name: `deleted-${user}`,
      name_key: `deleted-${user}`,
      email: null,
      full_name: 'Deleted User',
      about: '',
      status: 'deleted',
      last_seen_at: null,
    });
    expect(await store.events(room, said.seq - 1, 1)).toEqual([said]);
    expect(await store.db.selectFrom('sessions').selectAll().where('user_id', '=', user).execute()).toEqual([]);
    expect(
      await store.db.selectFrom('usergroup_members').select('user_id').where('usergroup', '=', group).execute(),
    ).toEqual([{ user_id: ada }]);
    const jobs = (await store.dueJobs(Number.MAX_SAFE_INTEGER, 1_000)).filter(({ subject }) => subject === user);
    expect(jobs).toMatchObject([{ kind: 'forget_user' }]);
    // Somebody else may have the name and the address now.
    const next = await facts.user();
    await facts.done(
      facts.entry(next, [{ stream: next, type: 'user.changed', body: { about: '' } }], { claims: claims(next) }),
    );
    // What was seen last is not brought back by a note that came late.
    await store.touchUsers([{ user, at: 7 }]);
    const row = await store.db.selectFrom('users').select('last_seen_at').where('id', '=', user).executeTakeFirst();
    expect(row?.last_seen_at).toBe(null);
  });

  it("[S5] a deleted placeholder stays one, and another account's events are left alone", async () => {
    const [one, other] = [await facts.user({ placeholder: true }), await facts.user({ fullName: 'Other' })];
    await facts.done(facts.entry(one, [{ stream: one, type: 'user.deleted', body: {} }]));
    const [made] = await store.events(one, 0, 1);
    const name = `deleted-${one}`;
    expect(JSON.parse(made?.body ?? '')).toEqual({
      name,
      nameKey: name,
      email: null,
      fullName: 'Deleted User',
      role: 'user',
      placeholder: true,
    });
    const [kept] = await store.events(other, 0, 1);
    expect(JSON.parse(kept?.body ?? '')).toMatchObject({ fullName: 'Other' });
  });
}
