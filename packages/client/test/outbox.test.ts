/** The outbox by itself, over a link that fails as fast-check likes it. */

import { NatterError } from '@natter/client';
import { Outbox, type OutboxEntry } from '@natter/client/outbox';
import { TIMING } from '@natter/client/timing';
import type { CommandResult } from '@natter/protocol';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const runs = { numRuns: Number(process.env.RUNS ?? 200) };
const timing = { ...TIMING, backoffFirst: 10, backoffMax: 100 };

type Fate =
  | 'carried out'
  /** The link is lost before the server had it, or after. */
  | 'lost before'
  | 'lost after'
  | 'wait'
  | 'refused';

const fates = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constant<Fate>('carried out') },
    { weight: 5, arbitrary: fc.constantFrom<Fate>('lost before', 'lost after', 'wait', 'refused') },
  ),
  { maxLength: 60 },
);
const sends = fc.array(fc.record({ room: fc.integer({ min: 1, max: 3 }), at: fc.nat(30) }), {
  minLength: 1,
  maxLength: 20,
});
const reloads = fc.array(fc.nat(40), { maxLength: 3 });

const error = (code: string, retryable: boolean) => new NatterError({ code, message: code, retryable });

/** A server that keeps keys, behind a link whose fates are given; after them all goes well. */
class World {
  readonly log: { room: number; text: string; key: string }[] = [];
  readonly replies = new Map<string, CommandResult>();
  readonly refused = new Set<string>();
  readonly acknowledged: string[] = [];
  flying = 0;
  mostFlying = 0;
  saved: readonly OutboxEntry[] = [];
  readonly #fates: Fate[];

  constructor(given: readonly Fate[]) {
    this.#fates = [...given];
  }

  async deliver({ key, input }: OutboxEntry): Promise<CommandResult> {
    const fate = this.#fates.shift() ?? 'carried out';
    this.flying += 1;
    this.mostFlying = Math.max(this.mostFlying, this.flying);
    await new Promise((resolve) => setTimeout(resolve, 3));
    this.flying -= 1;
    if (fate === 'lost before') throw error('disconnected', true);
    if (fate === 'wait') throw error('overloaded', true);
    if (fate === 'refused' && !this.replies.has(key)) {
      this.refused.add(key);
      throw error('archived', false);
    }
    const { room, text } = input as { room: number; text: string };
    const known = this.replies.get(key);
    if (!known) {
      this.log.push({ room, text, key });
      this.replies.set(key, { stream: room, seq: this.log.length });
    }
    if (fate === 'lost after') throw error('disconnected', true);
    return this.replies.get(key) as CommandResult;
  }

  open(): Outbox {
    const outbox = new Outbox({
      timing,
      max: 1_000,
      inFlight: 2,
      deliver: (entry) => {
        const sent = this.deliver(entry);
        // A lost link comes back by itself.
        sent.catch(({ code }) => code === 'disconnected' && setTimeout(() => outbox.start(), 1));
        return sent;
      },
      changed: (entries, lasting) => {
        if (lasting) this.saved = JSON.parse(JSON.stringify(entries)) as OutboxEntry[];
      },
      ask: () => {},
      answered: ({ key }) => this.acknowledged.push(key),
      failed: () => {},
    });
    outbox.start();
    return outbox;
  }
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe('the outbox', () => {
  it('[L3] has every command carried out once and acknowledged once, in the order of its room, over lost links and reloads', async () => {
    await fc.assert(
      fc.asyncProperty(sends, fates, reloads, async (given, link, restarts) => {
        const world = new World(link);
        let outbox = world.open();
        const order: string[] = [];
        for (let turn = 0; turn < 60; turn += 1) {
          for (const [n, { room, at }] of given.entries()) {
            if (at === turn) order.push(outbox.add('message.send', { room, text: `${n}` }).key);
          }
          if (restarts.includes(turn)) {
            outbox.close();
            // What was on its way when the page went is not heard of any more.
            const before = world.saved;
            await vi.advanceTimersByTimeAsync(50);
            outbox = world.open();
            outbox.restore(before);
          }
          await vi.advanceTimersByTimeAsync(7);
        }
        await vi.advanceTimersByTimeAsync(600_000);
        const failed = outbox.view.getSnapshot();
        outbox.close();
        expect(failed.map(({ state }) => state.is)).toEqual(failed.map(() => 'failed'));
        expect(failed.every(({ key }) => world.refused.has(key))).toBe(true);
        const done = order.filter((key) => !failed.some((entry) => entry.key === key));
        expect(new Set(world.log.map(({ key }) => key))).toEqual(new Set(done));
        expect(world.log.length).toBe(done.length);
        for (const room of [1, 2, 3]) {
          const inRoom = world.log.filter((row) => row.room === room).map(({ key }) => key);
          expect(inRoom).toEqual(order.filter((key) => inRoom.includes(key)));
        }
        expect(new Set(world.acknowledged)).toEqual(new Set(done));
        if (restarts.length === 0) expect(world.acknowledged.length).toBe(done.length);
        if (restarts.length === 0) expect(world.mostFlying).toBeLessThanOrEqual(2);
      }),
      runs,
    );
  });

  it('leaves nothing in the storage once all is answered', async () => {
    const world = new World([]);
    const outbox = world.open();
    const { key, answer } = outbox.add('message.send', { room: 1, text: 'x' });
    expect(world.saved).toMatchObject([{ key, type: 'message.send', input: { room: 1, text: 'x' } }]);
    await vi.advanceTimersByTimeAsync(10);
    expect(await answer).toEqual({ stream: 1, seq: 1 });
    expect(world.saved).toEqual([]);
  });

  it('puts what is about one message in one lane', () => {
    const world = new World([]);
    const outbox = world.open();
    outbox.stop();
    outbox.add('message.edit', { message: 5, text: 'x' });
    outbox.add('reaction.add', { message: 5, emoji: '👍' });
    outbox.add('user.change', { about: 'x' });
    expect(outbox.view.getSnapshot().map(({ lane }) => lane)).toEqual(['message 5', 'message 5', '']);
    outbox.close();
  });

  it('does not forget what waited when it was closed and started again', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.9);
    const world = new World(['wait']);
    const outbox = world.open();
    outbox.add('message.send', { room: 1, text: 'x' });
    await vi.advanceTimersByTimeAsync(4);
    expect(outbox.view.getSnapshot()[0]?.state.is).toBe('waiting');
    outbox.close();
    outbox.start();
    await vi.advanceTimersByTimeAsync(10);
    expect(world.log.length).toBe(1);
  });
});
