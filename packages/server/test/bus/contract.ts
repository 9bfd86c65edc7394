/** What every bus between nodes promises, in one suite: hints to those who follow, and never a word to anybody else. */
import type { EventType } from '@natter/protocol';
import type { Bus, BusListener, NodeMessage, Signal } from '@natter/server/bus/bus';
import type { StoredEvent } from '@natter/server/store/store';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

/** Somewhere that nodes can meet. */
export interface BusSite {
  /** One more node, by name; `epoch` is the life of its log. */
  join(node: string, epoch?: number): Bus;
  close(): Promise<void>;
}

/** Notes all that is heard. */
export class Ear implements BusListener {
  readonly events: StoredEvent[] = [];
  readonly places: { stream: number; seq: number }[] = [];
  readonly signals: { stream: number; signal: Signal }[] = [];
  readonly messages: NodeMessage[] = [];
  readonly streams: number[] = [];
  troubles = 0;

  event(event: StoredEvent): void {
    this.events.push(event);
  }
  behind(stream: number, seq: number): void {
    this.places.push({ stream, seq });
  }
  signal(stream: number, signal: Signal): void {
    this.signals.push({ stream, signal });
  }
  message(message: NodeMessage): void {
    this.messages.push(message);
  }
  followed(streams: readonly number[]): void {
    this.streams.push(...streams);
  }
  troubled(): void {
    this.troubles += 1;
  }
}

let lastId = 0;

export function eventOf(stream: number, seq: number, text = 'hello', type: EventType = 'message.sent'): StoredEvent {
  lastId += 1;
  return { id: lastId, stream, seq, type, actor: 3, at: 1_763_645_414_123, body: JSON.stringify({ text }) };
}

export const until = (check: () => void | Promise<void>): Promise<void> =>
  vi.waitFor(check, { timeout: 15_000, interval: 5 });

const TYPING: Signal = { type: 'typing', user: 3, active: true };

export function describeBus(name: string, open: () => Promise<BusSite>): void {
  describe(`the ${name} bus`, () => {
    let site: BusSite;
    const nodes: Bus[] = [];
    beforeAll(async () => {
      site = await open();
    });
    afterAll(() => site.close());
    afterEach(async () => {
      for (const node of nodes.splice(0)) await node.close();
    });

    /** A node that hears these streams for sure. */
    async function join(
      node: string,
      streams: readonly number[] = [],
      epoch?: number,
    ): Promise<{ bus: Bus; ear: Ear }> {
      const bus = site.join(node, epoch);
      nodes.push(bus);
      const ear = new Ear();
      bus.listen(ear);
      for (const stream of streams) bus.follow(stream);
      await until(() => {
        expect(bus.trouble).toBeNull();
        expect([...ear.streams].sort()).toEqual([...streams].sort());
      });
      return { bus, ear };
    }

    /** What was said before has been heard, where it is heard at all. */
    async function settled(from: Bus, ...ears: Ear[]): Promise<void> {
      lastId += 1;
      const last: NodeMessage = { type: 'roll.ask', node: 'x', of: String(lastId) };
      from.broadcast(last);
      await until(() => {
        for (const { messages } of ears) {
          expect(messages.some((one) => one.type === 'roll.ask' && one.of === last.of)).toBe(true);
        }
      });
      for (const ear of ears) ear.messages.pop();
    }

    it('[H3] tells those who follow a stream of its events, as they are and in order, and nobody else', async () => {
      const a = await join('a', [7, 8]);
      const b = await join('b', [7]);
      const c = await join('c', [8]);
      const events = Array.from({ length: 200 }, (_, index) =>
        eventOf(index % 4 === 0 ? 8 : 7, index, `text ${index}`),
      );
      a.bus.publish(events);
      await settled(a.bus, b.ear, c.ear);
      expect(b.ear.events).toEqual(events.filter(({ stream }) => stream === 7));
      expect(c.ear.events).toEqual(events.filter(({ stream }) => stream === 8));
      expect(a.ear.events).toEqual([]);
    });

    it('changes nothing of what a text can be', async () => {
      const a = await join('a');
      const b = await join('b', [7]);
      const texts = [
        '',
        '\u0001\u001f"\\',
        '","seal":"AAAAAAAAAAAAAAAAAAAAAA"}',
        '} {"v":1} \r\nPUB natter.1.nodes 2\r\nhi\r\n',
        'שלום 👩‍👩‍👧 \u2028\u2029',
        '*.>',
        'x'.repeat(300_000),
      ];
      const events = texts.map((text, index) => eventOf(7, index + 1, text));
      a.bus.publish(events);
      await settled(a.bus, b.ear);
      expect(b.ear.events).toEqual(events);
    });

    it('names the place alone of an event that is too large', async () => {
      const a = await join('a');
      const b = await join('b', [7]);
      a.bus.publish([eventOf(7, 1), eventOf(7, 2, 'x'.repeat(3_000_000)), eventOf(7, 3)]);
      await settled(a.bus, b.ear);
      expect(b.ear.events.map(({ seq }) => seq)).toEqual([1, 3]);
      expect(b.ear.places).toEqual([{ stream: 7, seq: 2 }]);
    });

    it('tells nothing of a stream that is followed no more, and again of one that is followed again', async () => {
      const a = await join('a');
      const b = await join('b', [7, 8]);
      b.bus.unfollow(7);
      a.bus.publish([eventOf(7, 1), eventOf(8, 1)]);
      await settled(a.bus, b.ear);
      // What was on its way may still come: what is said from now on does not.
      b.ear.events.length = 0;
      a.bus.publish([eventOf(7, 2), eventOf(8, 2)]);
      await settled(a.bus, b.ear);
      expect(b.ear.events.map(({ stream }) => stream)).toEqual([8]);
      b.ear.streams.length = 0;
      b.bus.follow(7);
      await until(() => expect(b.ear.streams).toEqual([7]));
      a.bus.publish([eventOf(7, 3)]);
      await until(() => expect(b.ear.events.map(({ stream }) => stream)).toEqual([8, 7]));
    });

    it('carries signals to followers, and messages to every other node', async () => {
      const a = await join('a', [7]);
      const b = await join('b', [7]);
      const c = await join('c');
      const visit: Signal = {
        type: 'visit',
        dialect: '002',
        user: 4,
        name: 'Ann "A" ☃',
        entered: true,
        at: 1_763_645_414_123,
        toSelf: false,
      };
      a.bus.signal(7, TYPING);
      a.bus.signal(7, visit);
      const messages: NodeMessage[] = [
        { type: 'roll.change', node: 'a', came: ['online/1', 'room/7/2'], went: ['online/3'] },
        { type: 'roll.lease', node: 'a', count: 2, sum: 4_294_967_295 },
        { type: 'roll.ask', node: 'a', of: null },
        { type: 'roll.all', node: 'a', part: 1, parts: 2, words: ['online/1'] },
        { type: 'rates.spent', node: 'a', limit: 'RATE_SENDS_PER_USER', subject: '7', cost: 30 },
        { type: 'rates.spent', node: 'a', limit: 'RATE_LOGIN_PER_ACCOUNT', subject: 'ann "a" ☃\n::1', cost: -1 },
      ];
      for (const message of messages) a.bus.broadcast(message);
      await settled(a.bus, b.ear, c.ear);
      expect(b.ear.signals).toEqual([
        { stream: 7, signal: TYPING },
        { stream: 7, signal: visit },
      ]);
      expect(c.ear.signals).toEqual([]);
      expect([b.ear.messages, c.ear.messages]).toEqual([messages, messages]);
      expect([a.ear.signals, a.ear.messages]).toEqual([[], []]);
    });

    it('keeps the lives of a log apart', async () => {
      const a = await join('a', [], 1);
      const other = await join('b', [7], 2);
      const same = await join('c', [7], 1);
      a.bus.publish([eventOf(7, 1)]);
      a.bus.broadcast({ type: 'roll.ask', node: 'a', of: null });
      await settled(a.bus, same.ear);
      const later = await join('d', [], 2);
      later.bus.publish([eventOf(7, 2)]);
      await until(() => expect(other.ear.events).toHaveLength(1));
      expect(other.ear.events[0]?.seq).toBe(2);
      expect(other.ear.messages).toEqual([]);
    });

    it('does not fail because of one who listens', async () => {
      const a = await join('a');
      const b = await join('b', [7]);
      const hear = b.ear.event.bind(b.ear);
      b.ear.event = () => {
        throw new Error('a bug');
      };
      a.bus.publish([eventOf(7, 1)]);
      await settled(a.bus, b.ear);
      b.ear.event = hear;
      a.bus.publish([eventOf(7, 2)]);
      await until(() => expect(b.ear.events.map(({ seq }) => seq)).toEqual([2]));
    });

    it('gives out what was said before it closes, and says nothing after', async () => {
      const a = await join('a', [7]);
      const b = await join('b', [7]);
      const events = Array.from({ length: 500 }, (_, index) => eventOf(7, index + 1));
      a.bus.publish(events);
      await a.bus.close();
      a.bus.publish([eventOf(7, 1_000)]);
      a.bus.signal(7, TYPING);
      a.bus.follow(9);
      await until(() => expect(b.ear.events).toEqual(events));
      b.bus.publish([eventOf(7, 501)]);
      const c = await join('c');
      await settled(c.bus, b.ear);
      expect(b.ear.events).toHaveLength(500);
      expect(a.ear.events).toEqual([]);
      expect(b.bus.trouble).toBeNull();
    });

    it('follows ten thousand streams at once', async () => {
      const streams = Array.from({ length: 10_000 }, (_, index) => index + 1);
      const a = await join('a');
      const b = await join('b', streams);
      a.bus.publish(streams.map((stream) => eventOf(stream, 1)));
      await until(() => expect(b.ear.events).toHaveLength(streams.length));
    });
  });
}
