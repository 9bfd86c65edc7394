/** Two nodes, and one user on both: what was read through one of them is read on the other, though NATS loses every word of it. */
import { NatterClient } from '@natter/client';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { makePostgresDatabase } from '../databases.js';
import { lossyNats } from '../faults/tampering.js';
import { Wire } from '../faults/wire.js';
import { openSite, type Person, type Site } from '../http/site.js';
import { Random } from '../simulation/random.js';
import { until } from './contract.js';
import { NatsServer } from './nats-server.js';

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

/** One device of somebody, on one node. */
async function deviceOf(person: Person, site: Site): Promise<NatterClient> {
  const client = new NatterClient({ url: site.url, token: async () => person.token, WebSocket });
  opened.push(() => client.close());
  await client.connect();
  return client;
}

async function healed({ url }: Site): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^natter_healed_events_total (\d+)$/m.exec(text)?.[1]);
}

describe('two nodes, and a NATS that loses what concerns one user', () => {
  it('[M1][H3] a marker that was moved on one of them is heard of on the other, and so are a mark and another room', async () => {
    const database = await makePostgresDatabase();
    opened.push(() => database.remove());
    const nats = await NatsServer.start();
    opened.push(() => nats.remove());
    const wire = await Wire.to(nats.port);
    opened.push(() => wire.close());
    let lost: RegExp | null = null;
    wire.tamper = lossyNats(new Random(1), () => lost && { lost: 1, subjects: lost });
    const env = { DATABASE_URL: database.url, SECRET_KEY: 'of all nodes, and long enough for it' };
    const near = await openSite({ ...env, NATS_URL: nats.url });
    opened.push(() => near.close());
    const far = await openSite({ ...env, NATS_URL: `nats://127.0.0.1:${wire.port}` });
    opened.push(() => far.close());

    const [ann, ben] = [await near.join('ann'), await near.join('ben')];
    const make = async (name: string): Promise<number> => {
      const body = { kind: 'group', name, members: [ben.id] };
      return (await near.ask('POST', '/v1/rooms', { token: ann.token, body })).body.id;
    };
    const room = await make('here');
    const [speaker, desk, phone] = [await deviceOf(ann, near), await deviceOf(ben, near), await deviceOf(ben, far)];
    lost = new RegExp(`\\.stream\\.${ben.id}$`);
    for (let n = 1; n <= 3; n += 1) await speaker.send('message.send', { room, text: `message ${n}` });
    await until(() => {
      for (const device of [desk, phone]) expect(device.rooms.get(room)?.unread).toBe(3);
    });
    const before = await healed(far);

    const head = desk.rooms.get(room)?.head ?? 0;
    await desk.send('read.move', { room, seq: head });
    await until(() => expect(phone.rooms.get(room)).toMatchObject({ unread: 0, readSeq: head }));
    await desk.send('read.unmark', { room, seq: head - 1 });
    await until(() => expect(phone.rooms.get(room)).toMatchObject({ unread: 2, unreadFrom: head - 1 }));
    const other = await make('there');
    await until(() => expect(phone.rooms.get(other)).toBeDefined());
    // None of it came over NATS.
    expect(await healed(far)).toBeGreaterThanOrEqual(before + 3);
  });
});
