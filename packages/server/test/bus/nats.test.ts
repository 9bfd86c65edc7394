/** The bus over a real nats-server: the contract, and what becomes of it when NATS is away, slow, or used by others. */
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { type BusMetrics, NatsBus, type NatsBusOptions } from '@natter/server/bus/nats';
import { systemClock } from '@natter/server/clock';
import { makeLogger } from '@natter/server/logger';
import { afterEach, describe, expect, it } from 'vitest';
import { Wire } from '../faults/wire.js';
import { describeBus, Ear, eventOf, until } from './contract.js';
import { NatsServer } from './nats-server.js';

class Counts implements BusMetrics {
  readonly now = { said: 0, dropped: 0, heard: 0, refused: 0 };
  said = (): void => void this.now.said++;
  dropped = (): void => void this.now.dropped++;
  heard = (): void => void this.now.heard++;
  refused = (): void => void this.now.refused++;
}

const NOWHERE = {
  user: undefined,
  password: undefined,
  token: undefined,
  credentialsFile: undefined,
  tls: undefined,
};

const KEY = 'a secret of all nodes, of thirty-two and more';

function makeBus(address: string, options: Partial<NatsBusOptions> = {}): NatsBus {
  return new NatsBus({
    address: { ...NOWHERE, servers: [address] },
    prefix: 'natter',
    epoch: 1,
    node: 'a',
    secretKey: KEY,
    bytesMax: 8_388_608,
    clock: systemClock,
    logger: makeLogger('silent'),
    metrics: new Counts(),
    ...options,
  });
}

describeBus('NATS', async () => {
  const server = await NatsServer.start();
  return {
    join: (node, epoch = 1) => makeBus(server.address, { node, epoch }),
    close: () => server.remove(),
  };
});

describe('the NATS bus', () => {
  const opened: { close(): Promise<unknown> }[] = [];
  afterEach(async () => {
    for (const one of opened.splice(0).reverse()) await one.close();
  });

  async function start(config?: string | ((folder: string) => string)): Promise<NatsServer> {
    const server = await NatsServer.start(config);
    opened.push({ close: () => server.remove() });
    return server;
  }

  /** Logs, as they are written. */
  function node(address: string, options: Partial<NatsBusOptions> = {}) {
    const lines: string[] = [];
    const counts = new Counts();
    const logger = makeLogger('info', { write: (line) => void lines.push(line) });
    const bus = makeBus(address, { logger, metrics: counts, ...options });
    opened.push(bus);
    const ear = new Ear();
    bus.listen(ear);
    return { bus, ear, counts: counts.now, lines };
  }

  const well = (...nodes: { bus: NatsBus }[]) =>
    until(() => {
      for (const { bus } of nodes) expect(bus.trouble).toBeNull();
    });

  async function stranger(server: NatsServer): Promise<NatsConnection> {
    const connection = await connect({ servers: server.address, reconnect: false });
    opened.push(connection);
    return connection;
  }

  it('starts without NATS, says so, and joins in when it comes; again after each time that NATS was killed', async () => {
    const server = await start();
    await server.kill();
    const a = node(server.address);
    const b = node(server.address, { node: 'b' });
    b.bus.follow(7);
    await until(() => expect(a.lines.join()).toMatch(/NATS can’t be used.*|connection refused/));
    expect(a.bus.trouble).toMatch(/^not connected for \d+ s: connection refused/);
    expect(a.ear.troubles).toBe(0);
    expect(b.ear.streams).toEqual([]);
    a.bus.publish([eventOf(7, 1)]);
    expect(a.counts).toMatchObject({ said: 0, dropped: 1 });
    for (let round = 1; round <= 2; round += 1) {
      await server.start();
      await well(a, b);
      await until(() => expect(b.ear.streams).toHaveLength(round));
      a.bus.publish([eventOf(7, 1 + round)]);
      await until(() => expect(b.ear.events.at(-1)?.seq).toBe(1 + round));
      await server.kill();
      await until(() => expect(a.bus.trouble).toMatch(/^not connected/));
      await until(() => expect(a.ear.troubles).toBe(2 * round));
      a.bus.publish([eventOf(7, 99)]);
    }
    expect(b.ear.events.map(({ seq }) => seq)).toEqual([2, 3]);
    expect(a.lines.filter((line) => line.includes('connected to NATS'))).toHaveLength(2);
    expect(a.lines.filter((line) => line.includes('is lost'))).toHaveLength(2);
  });

  it('is not in order before NATS has taken the subscriptions that a connection begins with', async () => {
    const server = await start();
    const wire = await Wire.to(server.port);
    opened.push(wire);
    let pongs = 0;
    wire.tamper = () => (chunk, direction) => {
      // The first one answers the connection itself, the second one what was subscribed to on it.
      if (direction === 'back' && chunk.includes('PONG')) pongs += 1;
      if (pongs === 2) wire.holes.add('back');
      return chunk;
    };
    const { bus, ear, lines } = node(`127.0.0.1:${wire.port}`);
    await until(() => expect(lines.join()).toContain('connected to NATS'));
    await until(() => expect(pongs).toBe(2));
    expect(bus.trouble).toMatch(/subscriptions may not be taken yet$/);
    expect(ear.troubles).toBe(0);
    wire.heal();
    await until(() => expect(bus.trouble).toBeNull());
    expect(ear.troubles).toBe(1);
  });

  it('[G1] keeps a bounded number of bytes for a NATS that does not answer, knows it soon, and goes on when it does', async () => {
    const server = await start();
    const bytesMax = 262_144;
    const a = node(server.address, { bytesMax });
    const b = node(server.address, { node: 'b' });
    b.bus.follow(7);
    await well(a, b);
    server.freeze();
    const frozen = performance.now();
    await until(() => expect(a.bus.trouble).toMatch(/^no answer/));
    // The library itself would find out after minutes.
    expect(performance.now() - frozen).toBeLessThan(12_000);
    const held = (): number => process.memoryUsage().arrayBuffers;
    const before = held();
    const event = eventOf(7, 1, 'x'.repeat(10_000));
    for (let i = 0; i < 5_000; i += 1) a.bus.publish([event]);
    expect(a.counts.dropped).toBeGreaterThan(4_900);
    expect(held() - before).toBeLessThan(bytesMax * 8);
    server.thaw();
    await well(a, b);
    a.bus.publish([eventOf(7, 2)]);
    await until(() => expect(b.ear.events.at(-1)?.seq).toBe(2));
  });

  it('gives up a connection that is silent for good, and makes another', async () => {
    const server = await start();
    const a = node(server.address);
    await well(a);
    server.freeze();
    await until(() => expect(a.bus.trouble).toMatch(/^not connected.*NATS did not answer/));
    server.thaw();
    await well(a);
  });

  it('knows that another node is silent, until that comes back or took its leave', async () => {
    const server = await start();
    const wire = await Wire.to(server.port);
    opened.push(wire);
    const a = node(server.address);
    const b = node(`127.0.0.1:${wire.port}`, { node: 'b' });
    const c = node(server.address, { node: 'c' });
    const heardOf = (name: string) =>
      until(() => {
        b.bus.broadcast({ type: 'roll.lease', node: name, count: 0, sum: 0 });
        expect(a.ear.messages.length).toBeGreaterThan(0);
      });
    await well(a, b, c);
    await heardOf('b');
    c.bus.broadcast({ type: 'roll.ask', node: 'c', of: null });
    await until(() => expect(a.ear.messages.some(({ type }) => type === 'roll.ask')).toBe(true));
    await c.bus.close();
    // What b hears now comes behind that c took its leave.
    a.bus.broadcast({ type: 'roll.ask', node: 'a', of: null });
    await until(() => expect(b.ear.messages.some((one) => one.node === 'a')).toBe(true));
    wire.holes.add('there').add('back');
    await until(() => expect(a.bus.trouble).toMatch(/^node b is silent for \d s$/));
    expect(b.bus.trouble).toMatch(/^no answer|^not connected/);
    await until(() => expect(a.ear.troubles).toBe(2));
    wire.heal();
    wire.cut();
    await well(a, b);
    await b.bus.close();
    const later = performance.now() + 2_500;
    await until(() => expect(performance.now()).toBeGreaterThan(later));
    expect(a.bus.trouble).toBeNull();
  });

  it('believes nobody who does not know the secret, and is not impressed by anything', async () => {
    const server = await start();
    const a = node(server.address);
    const b = node(server.address, { node: 'b' });
    const foreign = node(server.address, { node: 'x', secretKey: `${KEY}, almost` });
    b.bus.follow(7);
    foreign.bus.follow(7);
    await well(a, b, foreign);
    const attacker = await stranger(server);
    const heard: Uint8Array[] = [];
    attacker.subscribe('natter.1.>', { callback: (_, message) => void heard.push(message.data) });
    await attacker.flush();
    const event = eventOf(7, 1, 'true');
    a.bus.publish([event]);
    a.bus.signal(7, { type: 'typing', user: 3, active: true });
    a.bus.broadcast({ type: 'roll.all', node: 'a', part: 1, parts: 1, words: ['online/3'] });
    await until(() => {
      expect(b.ear.messages).toHaveLength(1);
      expect(heard.map(String).filter((text) => !text.includes('"beat"')).length).toBeGreaterThanOrEqual(3);
    });
    const said = heard.map((bytes) => Buffer.from(bytes));
    const forged = said.flatMap((bytes) => {
      const text = bytes.toString();
      return [
        bytes.subarray(0, bytes.length - 1),
        bytes.subarray(1),
        Buffer.from(text.replace('true', 'evil')),
        Buffer.from(text.replace('"v":1', '"v":2')),
        Buffer.from(text.replace(/"seal":"[^"]*"/, '"seal":""')),
        Buffer.from(text.replace(/"seal":"./, '"seal":"!')),
        Buffer.from(text.replace(/,"seal":"[^"]*"/, '')),
        Buffer.concat([bytes, bytes]),
      ];
    });
    const garbage = [
      '',
      '{',
      '{"v":1,',
      '{"v":1,"seal":"AAAAAAAAAAAAAAAAAAAAAA"}',
      'null',
      '[]',
      '\0'.repeat(100),
      'x'.repeat(500_000),
    ];
    const random = Array.from({ length: 200 }, (_, index) => Buffer.from(`${index}`.repeat(index)));
    for (const subject of ['natter.1.stream.7', 'natter.1.nodes']) {
      for (const bytes of [...forged, ...garbage.map((text) => Buffer.from(text)), ...random])
        attacker.publish(subject, bytes);
      // Replays: events are known by their seq, everything else by what its node said before.
      for (const bytes of said) attacker.publish(subject, bytes);
    }
    foreign.bus.publish([eventOf(7, 2, 'evil')]);
    foreign.bus.broadcast({ type: 'roll.all', node: 'a', part: 1, parts: 1, words: ['online/666'] });
    await attacker.flush();
    a.bus.publish([eventOf(7, 3)]);
    await until(() => expect(b.ear.events.at(-1)?.seq).toBe(3));
    for (const heardEvent of b.ear.events.slice(0, -1)) expect(heardEvent).toEqual(event);
    expect(b.ear.signals).toHaveLength(1);
    expect(b.ear.messages).toHaveLength(1);
    expect(b.counts.refused).toBeGreaterThan(forged.length + random.length);
    expect(foreign.ear.events).toEqual([]);
    expect(b.bus.trouble).toBeNull();
    const warnings = b.lines.filter((line) => line.includes('was not believed'));
    expect(warnings).toHaveLength(1);
  });

  it('keeps installations apart by their prefix', async () => {
    const server = await start();
    const a = node(server.address);
    const b = node(server.address, { node: 'b', prefix: 'other.chat' });
    b.bus.follow(7);
    await well(a, b);
    a.bus.publish([eventOf(7, 1)]);
    const c = node(server.address, { node: 'c', prefix: 'other.chat' });
    await well(c);
    c.bus.publish([eventOf(7, 2)]);
    await until(() => expect(b.ear.events.map(({ seq }) => seq)).toEqual([2]));
    expect(b.counts.refused).toBe(0);
  });

  it('gets in with a name and password, with a token, and is told why when it does not', async () => {
    const byName = await start('authorization { user: natter, password: "p@ss" }');
    const a = node(byName.address, {
      address: { ...NOWHERE, servers: [byName.address], user: 'natter', password: 'p@ss' },
    });
    await well(a);
    const wrong = node(byName.address, {
      address: { ...NOWHERE, servers: [byName.address], user: 'natter', password: 'no' },
    });
    await until(() => expect(wrong.bus.trouble).toMatch(/Authorization Violation/i));
    expect(wrong.lines.join()).toMatch(/Authorization Violation/i);
    expect(wrong.lines.join()).not.toContain('p@ss');
    const byToken = await start('authorization { token: "t0ken" }');
    await well(node(byToken.address, { address: { ...NOWHERE, servers: [byToken.address], token: 't0ken' } }));
  });

  it('says what NATS does not allow it', async () => {
    const server = await start(
      'authorization { users: [ { user: n, password: n, permissions: { publish: ">", subscribe: "natter.1.nodes" } } ] }',
    );
    const a = node(server.address, { address: { ...NOWHERE, servers: [server.address], user: 'n', password: 'n' } });
    await well(a);
    a.bus.follow(7);
    await until(() =>
      expect(a.bus.trouble).toMatch(/Permissions Violation for Subscription to "natter\.1\.stream\.7"/i),
    );
    expect(a.lines.join()).toMatch(/Permissions Violation/i);
  });

  it('speaks TLS with a NATS that it can trust, shows its own certificate, and speaks with no other', async () => {
    const server = await start((folder) => {
      certify(folder);
      return `tls { cert_file: "${folder}/server.pem", key_file: "${folder}/server.key", ca_file: "${folder}/ca.pem", verify: true }`;
    });
    const file = (name: string): string => join(server.folder, name);
    const tls = { caFile: file('ca.pem'), certFile: file('client.pem'), keyFile: file('client.key') };
    const servers = [`localhost:${server.port}`];
    await well(node(server.address, { address: { ...NOWHERE, servers, tls } }));
    const untrusting = node(server.address, { address: { ...NOWHERE, servers, tls: { ...tls, caFile: undefined } } });
    await until(() => expect(untrusting.bus.trouble).toMatch(/certificate/i));
    const nobody = { caFile: file('ca.pem'), certFile: undefined, keyFile: undefined };
    const unknown = node(server.address, { address: { ...NOWHERE, servers, tls: nobody } });
    await until(() => expect(unknown.bus.trouble).toMatch(/^not connected/));
    const plain = await start();
    const insisting = node(plain.address, { address: { ...NOWHERE, servers: [plain.address], tls: nobody } });
    await until(() => expect(insisting.bus.trouble).toMatch(/does not support 'tls'/));
    rmSync(file('ca.pem'));
    const missing = node(server.address, { address: { ...NOWHERE, servers, tls } });
    await until(() => expect(missing.bus.trouble).toMatch(/ca\.pem/));
  });
});

/** An authority, and certificates of it for a server and a client. */
function certify(folder: string): void {
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=authority', '-days', '2');
  for (const name of ['server', 'client']) {
    writeFileSync(join(folder, 'names'), 'subjectAltName=DNS:localhost\n');
    openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    const issued = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'names'];
    openssl('x509', '-req', '-in', `${name}.csr`, '-out', `${name}.pem`, ...issued);
  }
}
