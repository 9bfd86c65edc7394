/** A whole node with NATS: it starts and serves without it, says how it is, and tells others. */
import { afterEach, describe, expect, it } from 'vitest';
import { openSite, type Site } from '../http/site.js';
import { until } from './contract.js';
import { NatsServer } from './nats-server.js';

describe('a node with NATS', () => {
  const opened: { close(): Promise<unknown> }[] = [];
  afterEach(async () => {
    for (const one of opened.splice(0).reverse()) await one.close();
  });

  async function open(nats: NatsServer): Promise<Site> {
    const site = await openSite({ NATS_URL: nats.url, SECRET_KEY: 'of all nodes, and long enough for it' });
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
});
