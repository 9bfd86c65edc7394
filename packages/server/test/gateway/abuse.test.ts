/** What the gateway stands: floods, garbage, silence and readers that stop, each with the close code that it has earned. */
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { sent, turn, turns } from '../hub/fixtures.js';
import { ANNA, BEN, clientFrame, openSite, type Raw, ROOM, type Site, until } from './fixtures.js';

let site: Site;
afterEach(() => site.close());

const send = (id: number, text = 'x') => ({ type: 'message.send', id, room: ROOM, text });
const hello = clientFrame(JSON.stringify({ type: 'hello', token: `${ANNA}.phone` }));

/** A bare connection that is live. */
async function liveRaw(): Promise<Raw> {
  const raw = await site.raw();
  raw.socket.write(hello);
  await until(() => raw.text.includes('"type":"live"'));
  raw.received = [];
  return raw;
}

describe('frames that break the rules', () => {
  it.each([
    ['not masked', clientFrame('{}', { masked: false }), 1002],
    ['with a reserved bit', clientFrame('{}', { reserved: 4 }), 1002],
    ['of a reserved kind', clientFrame('{}', { opcode: 3 }), 1002],
    ['a continuation of nothing', clientFrame('{}', { opcode: 0 }), 1002],
    ['a ping in pieces', clientFrame('', { opcode: 9, fin: false }), 1002],
    ['a ping that is too long', clientFrame('x'.repeat(126), { opcode: 9 }), 1002],
    ['a close frame of one byte', clientFrame('x', { opcode: 8 }), 1002],
    ['binary', clientFrame('{}', { opcode: 2 }), 1003],
    ['not UTF-8', clientFrame(Buffer.from([0x22, 0xff, 0x22])), 1007],
    ['an overlong form', clientFrame(Buffer.from([0xc0, 0xaf])), 1007],
    ['a surrogate in UTF-8', clientFrame(Buffer.from([0xed, 0xa0, 0x80])), 1007],
  ])('%s: the right code at once, and the server lives', async (_, frame, code) => {
    site = await openSite();
    for (const raw of [await site.raw(), await liveRaw()]) {
      raw.socket.write(frame);
      expect(await raw.closeCode()).toBe(code);
    }
    await site.live();
  });

  it('a frame over the limit, by its header alone or in pieces, closes; one at the limit does not', async () => {
    site = await openSite({ FRAME_BYTES_MAX: 2_048 });
    const raw = await liveRaw();
    raw.socket.write(clientFrame(`{"type":"ping"}${' '.repeat(2_048 - 15)}`));
    await until(() => raw.text.includes('pong'));
    raw.socket.write(Buffer.from([0x81, 0xfe, 0x08, 0x01]));
    expect(await raw.closeCode()).toBe(1009);
    const pieces = await liveRaw();
    pieces.socket.write(clientFrame('x'.repeat(1_500), { fin: false }));
    pieces.socket.write(clientFrame('x'.repeat(600), { opcode: 0 }));
    expect(await pieces.closeCode()).toBe(1009);
    const huge = await liveRaw();
    huge.socket.write(Buffer.from([0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]));
    expect(await huge.closeCode()).toBe(1009);
  });

  it('a message in endless pieces closes, though the pieces are empty', async () => {
    site = await openSite();
    const raw = await liveRaw();
    raw.socket.write(clientFrame('', { fin: false }));
    for (let i = 0; i < 200; i += 1) raw.socket.write(clientFrame('', { opcode: 0, fin: false }));
    expect(await raw.closeCode()).toBe(1008);
  });

  it('random bytes close their own socket and nothing else', async () => {
    site = await openSite();
    const witness = await site.live(`${BEN}.desk`);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.boolean(), async (bytes, late) => {
        const raw = await site.raw();
        if (late) raw.socket.write(hello);
        raw.socket.end(bytes);
        await until(() => raw.ended);
      }),
      { numRuns: 60 },
    );
    await until(() => site.gateway.size === 1);
    site.node.log.commit(sent(ROOM));
    await witness.frame('message.sent');
    expect(site.failures).toEqual([]);
  });

  it('any JSON is answered or closes its socket, and none of it breaks the server', async () => {
    site = await openSite({ BAD_FRAMES_MAX: 1_000 });
    const witness = await site.live(`${BEN}.desk`);
    const type = fc.constantFrom(
      'ping',
      'typing',
      'presence.watch',
      'hello',
      'message.send',
      'constructor',
      '__proto__',
    );
    const frame = fc.oneof(
      fc.json(),
      fc
        .record({ type, id: fc.anything(), room: fc.anything(), users: fc.anything(), key: fc.anything() })
        .map((value) => JSON.stringify(value)),
      fc.constant('{"type":"message.send","id":1,"__proto__":{"room":11},"constructor":{},"toString":1}'),
      fc.constant(`${'['.repeat(30_000)}`),
      fc.constant(`{"type":"typing","room":${'['.repeat(20_000)}${']'.repeat(20_000)}}`),
    );
    const client = await site.live();
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { maxLength: 10 }), async (texts) => {
        site.clock.advance(500);
        for (const text of texts) client.send(text);
        client.send({ type: 'ping' });
        await client.frame('pong');
      }),
      { numRuns: 60 },
    );
    site.node.log.commit(sent(ROOM));
    await witness.frame('message.sent');
    expect(site.failures).toEqual([]);
  });

  it('what can not be read is answered, up to a point', async () => {
    site = await openSite({ BAD_FRAMES_MAX: 4 });
    const client = await site.live();
    const bad = ['{', '7', '{"type":7}', '{"type":"message.send","id":-1}'];
    for (const text of bad.slice(0, 3)) {
      client.send(text);
      expect(await client.frame('reply')).toMatchObject({ id: null, error: { code: 'bad_frame', retryable: false } });
    }
    client.send({ type: 'ping' });
    await client.frame('pong');
    client.send(bad[3] ?? '');
    expect(await client.end()).toBe(4008);
    expect(client.frames.map(({ type }) => type)).toEqual(['reply', 'goodbye']);
  });

  it('a list of watched users over the limit is refused, and the limit is not', async () => {
    site = await openSite({ PRESENCE_WATCH_MAX: 3 });
    const client = await site.live();
    client.send({ type: 'presence.watch', users: [1, 2, 3, 4] });
    expect((await client.frame('reply')).error).toMatchObject({ code: 'limit_reached' });
    client.send({ type: 'presence.watch', users: [1, 2, 3] });
    await client.frame('presence');
  });
});

describe('floods', () => {
  it.each([
    ['frames', () => clientFrame('{"type":"ping"}')],
    ['pings', () => clientFrame('', { opcode: 9 })],
    ['pongs', () => clientFrame('', { opcode: 10 })],
  ])('of %s close at the limit of frames, and not before', async (_, frame) => {
    site = await openSite({ RATE_FRAMES_PER_SOCKET: 100 });
    const raw = await liveRaw();
    const some = Buffer.concat(Array.from({ length: 99 }, frame));
    raw.socket.write(some);
    await turns(20);
    expect(raw.ended).toBe(false);
    site.clock.advance(10_000);
    raw.socket.write(Buffer.concat([some, frame(), frame()]));
    expect(await raw.closeCode()).toBe(4006);
  });

  it('of frames are let through where rates are not limited', async () => {
    site = await openSite({ RATE_FRAMES_PER_SOCKET: 10 }, { rateLimits: false });
    const client = await site.live();
    for (let id = 1; id <= 500; id += 1) client.send(send(id));
    await client.frame('reply', ({ id }) => id === 500);
  });

  it('of commands are carried out a few at a time: the socket is not read while too many are under way', async () => {
    site = await openSite({ COMMANDS_IN_FLIGHT_PER_SOCKET: 8, RATE_FRAMES_PER_SOCKET: 10_000 });
    const client = await site.live();
    site.held = [];
    const { held } = site;
    for (let id = 1; id <= 3_000; id += 1) client.send(send(id, `m${id}`));
    await until(() => site.executed.length === 8);
    await turns(50);
    expect(site.executed).toHaveLength(8);
    held.shift()?.();
    await client.frame('reply', ({ id }) => id === 1);
    await until(() => site.executed.length === 9);
    site.release();
    await client.frame('reply', ({ id }) => id === 3_000);
    expect(site.executed.map(({ command }) => command.text)).toEqual(
      Array.from({ length: 3_000 }, (_, i) => `m${i + 1}`),
    );
  });

  it('[G1] of commands from one who reads no answers stop being read', async () => {
    site = await openSite({ SOCKET_BUFFER_BYTES_MAX: 65_536, RATE_FRAMES_PER_SOCKET: 1_000_000 });
    const raw = await liveRaw();
    raw.socket.pause();
    const frames = Buffer.concat(
      Array.from({ length: 500 }, (_, id) => clientFrame(JSON.stringify({ type: 'none', id }))),
    );
    let executed = -1;
    let written = 0;
    // Until neither side goes on: the kernel's buffers are full both ways, and the server has stopped reading.
    while (executed !== site.executed.length || raw.socket.writableLength === 0) {
      executed = site.executed.length;
      if (raw.socket.writableLength < 1_000_000) raw.socket.write(frames);
      written += 500;
      await turns(30);
      expect(written).toBeLessThan(2_000_000);
    }
    expect(site.executed.length).toBeGreaterThan(0);
    // It is closed as too slow in the end.
    site.clock.advance(31_000);
    await until(() => site.counted.some((line) => line.startsWith('closed')) || site.node.hub.counts.users === 0);
    raw.socket.resume();
    expect(await raw.closeCode()).toBe(4005);
  }, 60_000);
});

describe('silence', () => {
  it('is asked about, and closes when there is no answer', async () => {
    site = await openSite();
    const client = await site.live();
    const raw = await liveRaw();
    site.clock.advance(31_000);
    await until(() => client.pings === 1 && raw.received.length > 0);
    expect(Buffer.concat(raw.received)).toEqual(Buffer.from([0x89, 0]));
    await turns(20);
    site.clock.advance(31_000);
    expect(await raw.closeCode()).toBe(4004);
    await until(() => client.pings === 2);
    expect(client.closed).toBeNull();
  });

  it('a client that speaks is not asked', async () => {
    site = await openSite();
    const client = await site.live();
    for (let i = 0; i < 10; i += 1) {
      site.clock.advance(20_000);
      client.send({ type: 'ping' });
      await client.frame('pong');
    }
    expect([client.pings, client.closed]).toEqual([0, null]);
  });
});

describe('readers that stop', () => {
  const big = 'x'.repeat(20_000);
  const fill = async (): Promise<void> => {
    // More than the buffers of the kernel take on both sides.
    for (let i = 0; i < 800; i += 1) {
      site.node.log.commit(sent(ROOM, big));
      await turn();
    }
  };

  it('[G1][G2] take bounded memory, are closed with "come back", and resume without a gap', async () => {
    site = await openSite({ SOCKET_BUFFER_BYTES_MAX: 262_144, RESUME_EVENTS_MAX: 10_000 });
    const client = await site.live();
    client.ws.pause();
    await fill();
    expect(site.node.hub.counts.catchingUp).toBe(1);
    site.clock.advance(29_000);
    expect(site.node.hub.counts.users).toBe(1);
    site.clock.advance(2_000);
    expect(site.node.hub.counts.users).toBe(0);
    client.ws.resume();
    expect(await client.end()).toBe(4005);
    expect(client.frames.at(-1)).toMatchObject({ type: 'goodbye', reconnect: true });
    const had = client.frames.filter(({ type }) => type === 'message.sent').map(({ seq }) => seq as number);
    const back = await site.live(`${ANNA}.phone`, { epoch: site.store.epoch, cursors: { [ROOM]: had.at(-1) ?? 1 } });
    const rest = back.texts.map((text) => JSON.parse(text)).filter(({ stream }) => stream === ROOM);
    expect([...had, ...rest.map(({ seq }) => seq)]).toEqual(Array.from({ length: 800 }, (_, i) => i + 2));
  }, 60_000);

  it('[G2] and read on in time catch up on the same socket', async () => {
    site = await openSite({ SOCKET_BUFFER_BYTES_MAX: 262_144, RESUME_EVENTS_MAX: 10_000 });
    const client = await site.live();
    client.ws.pause();
    await fill();
    expect(site.node.hub.counts.catchingUp).toBe(1);
    client.ws.resume();
    await until(() => client.frames.filter(({ type }) => type === 'message.sent').length === 800);
    await client.frame('live');
    site.node.log.commit(sent(ROOM, 'last'));
    expect(await client.frame('message.sent')).toMatchObject({ seq: 802 });
    site.clock.advance(29_000);
    await turns();
    expect(client.closed).toBeNull();
  }, 60_000);
});
