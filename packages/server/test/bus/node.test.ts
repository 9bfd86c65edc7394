/** A whole node with NATS: it starts and serves without it, says how it is, and tells others. */
import { afterEach, describe, expect, it } from 'vitest';
import { makePostgresDatabase } from '../databases.js';
import { openSite, type Site } from '../http/site.js';
import { until } from './contract.js';
import { NatsServer } from './nats-server.js';

describe('a node with NATS', () => {
  const opened: { close(): Promise<unknown> }[] = [];
  afterEach(async () => {
    for (const one of opened.splice(0).reverse()) await one.close();
  });

  async function open(nats: NatsServer, env: Record<string, string> = {}): Promise<Site> {
    const site = await openSite({ NATS_URL: nats.url, SECRET_KEY: 'of all nodes, and long enough for it', ...env });
    opened.push(site);
    return site;
  }

  it('is ready without NATS, says so in /health and /metrics, and joins in when it comes', async () => {
    const nats = await NatsServer.start();
    opened.push({ close: () => nats.remove() });
    await nats.kill();
    const site = await open(nats);
    const away = await site.ask('GET', '/health', { headers: { accept: 'application/json' } });
    expect(away.status).toBe(200);
    expect(JSON.stringify(away.body)).toMatch(/not connected for/);
    const ann = await site.join('ann');
    const metrics = await (await fetch(`${site.url}/metrics`)).text();
    expect(metrics).toMatch(/^natter_bus_well 0$/m);
    expect(metrics).toMatch(/^natter_bus_dropped_total [1-9]/m);
    await nats.start();
    await until(async () => {
      expect(await (await fetch(`${site.url}/metrics`)).text()).toMatch(/^natter_bus_well 1$/m);
    });
    const made = await site.ask('POST', '/v1/rooms', { token: ann.token, body: { kind: 'group', name: 'g' } });
    expect(made.status).toBe(201);
    const after = await (await fetch(`${site.url}/metrics`)).text();
    expect(after).toMatch(/^natter_bus_said_total [1-9]/m);
    expect(JSON.stringify((await site.ask('GET', '/health')).body)).toMatch(/"bus":"ok"/);
  });

  it('counts guesses of a password that were made on another one', async () => {
    const nats = await NatsServer.start();
    opened.push({ close: () => nats.remove() });
    const database = await makePostgresDatabase();
    opened.push({ close: () => database.remove() });
    const env = { DATABASE_URL: database.url, RATE_LOGIN_PER_ACCOUNT: '4', LIMITS: 'on' };
    const [one, other] = [await open(nats, env), await open(nats, env)];
    const ann = await one.join('ann');
    // From now on it hears what the first one says.
    await until(async () => {
      expect(await (await fetch(`${other.url}/metrics`)).text()).toMatch(/^natter_bus_heard_total [1-9]/m);
    });
    const guess = async (site: Site, name: string, password: string): Promise<number> =>
      (await site.ask('POST', '/v1/sessions', { body: { name, password } })).status;
    for (let i = 0; i < 4; i += 1) expect(await guess(one, 'ann', 'a wrong one')).toBe(401);
    expect(await guess(one, 'ann', 'a wrong one')).toBe(429);
    // The other one has heard of them: its own guess, the first there, is one too many.
    const { rates } = other.app.parts;
    await until(() => expect(rates.look('RATE_LOGIN_PER_ACCOUNT', `${ann.id}\n127.0.0.1`).ok).toBe(false));
    expect(await guess(other, 'ann', 'a wrong one')).toBe(429);
    // Another account, from the same address, has its own budget.
    expect(await guess(other, 'bob', 'a wrong one')).toBe(401);
  });
});
