/** The pieces of the load generator: cutting streams, finding marks, holding deliveries against what was sent. */
import { clientFrame, frameLength, headerLength } from '@natter/bench/load/frames';
import { percentiles, seeded } from '@natter/bench/load/loops';
import { FOREIGN_MARK, Marks, markedText, NO_MARK, TEXT_LENGTH } from '@natter/bench/load/marks';
import { Splitter } from '@natter/bench/load/splitter';
import { anyFault, Verifier } from '@natter/bench/load/verifier';
import { mqttLength } from '@natter/bench/load/wires/mqtt';
import { natsLength } from '@natter/bench/load/wires/nats';
import { membersOf, roomsOf, sendersOf, workPoints } from '@natter/bench/works';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

function serverFrame(payload: Buffer): Buffer {
  const { length } = payload;
  const header = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.alloc(header + length);
  frame[0] = 0x81;
  frame[1] = length < 126 ? length : length < 65_536 ? 126 : 127;
  if (header === 4) frame.writeUInt16BE(length, 2);
  if (header === 10) frame.writeBigUInt64BE(BigInt(length), 2);
  payload.copy(frame, header);
  return frame;
}

function mqttPacket(payload: Buffer): Buffer {
  const length: number[] = [];
  let rest = payload.length;
  do {
    length.push((rest % 128) + (rest >= 128 ? 128 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.concat([Buffer.from([0x30, ...length]), payload]);
}

function natsPacket(payload: Buffer): Buffer {
  if (payload.length % 5 === 0) return Buffer.from('PING\r\n');
  return Buffer.concat([Buffer.from(`MSG room.1 12 ${payload.length}\r\n`), payload, Buffer.from('\r\n')]);
}

const payloads = fc.array(
  fc.oneof(fc.uint8Array({ maxLength: 400 }), fc.uint8Array({ minLength: 65_530, maxLength: 65_540 })),
  {
    minLength: 1,
    maxLength: 12,
  },
);

describe('a stream of bytes is cut into the same packets however it arrives:', () => {
  it.each([
    ['WebSocket frames', frameLength, serverFrame],
    ['MQTT packets', mqttLength, mqttPacket],
    ['NATS lines and messages', natsLength, natsPacket],
  ])('%s', (_what, measure, packed) => {
    fc.assert(
      fc.property(
        payloads,
        fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1, maxLength: 40 }),
        (bodies, steps) => {
          const packets = bodies.map((body) => packed(Buffer.from(body)));
          const stream = Buffer.concat(packets);
          const taken: Buffer[] = [];
          const splitter = new Splitter(measure, (bytes, start, end) =>
            taken.push(Buffer.from(bytes.subarray(start, end))),
          );
          for (let at = 0, i = 0; at < stream.length; i += 1) {
            const step = steps[i % steps.length] as number;
            // As from a socket: the bytes lie somewhere in a buffer that is used again.
            const chunk = Buffer.concat([Buffer.alloc(7, 0xff), stream.subarray(at, at + step), Buffer.alloc(9, 0xff)]);
            splitter.feed(chunk, 7, chunk.length - 9);
            chunk.fill(0);
            at += step;
          }
          expect(splitter.clean).toBe(true);
          expect(Buffer.concat(taken).equals(stream)).toBe(true);
          expect(taken.map((packet) => packet.length)).toEqual(packets.map((packet) => packet.length));
        },
      ),
      { numRuns: 25 },
    );
  });
});

describe('a frame of a client', () => {
  it.each([0, 5, 125, 126, 1_000])('of %d bytes is masked and can be read back', (length) => {
    const text = 'x'.repeat(length);
    const frame = clientFrame(1, text);
    const header = length < 126 ? 6 : 8;
    expect(frame[0]).toBe(0x81);
    expect((frame[1] as number) & 0x80).toBe(0x80);
    const mask = frame.subarray(header - 4, header);
    const plain = frame.subarray(header).map((byte, i) => byte ^ (mask[i & 3] as number));
    expect(Buffer.from(plain).toString()).toBe(text);
  });

  it('of a server has the length that its header says', () => {
    for (const length of [0, 125, 126, 65_535, 65_536]) {
      const frame = serverFrame(Buffer.alloc(length));
      expect(frameLength(frame, 0, frame.length)).toBe(frame.length);
      expect(headerLength(frame, 0)).toBe(frame.length - length);
      for (let have = 0; have < headerLength(frame, 0); have += 1)
        expect(frameLength(frame, 0, have)).toBe(have < 2 || length > 125 ? 0 : frame.length);
    }
  });
});

describe('a mark', () => {
  const marks = new Marks('abcdefgh');
  const frame = (text: string): Buffer => Buffer.from(`{"type":"message","text":"${text}"}`);

  it('is found in a text of 100 characters, with its sender and number', () => {
    const text = markedText('abcdefgh', 123, 4_567_890);
    expect(text).toHaveLength(TEXT_LENGTH);
    const bytes = frame(text);
    const at = marks.find(bytes, 0, bytes.length);
    expect([marks.sender(bytes, at), marks.number(bytes, at), marks.intact(bytes, at, bytes.length)]).toEqual([
      123,
      4_567_890,
      true,
    ]);
  });

  it('tells every number, and brings a new word with one message in four', () => {
    const words = new Set<string>();
    for (let number = 0; number < 400; number += 1) {
      const text = markedText('abcdefgh', 7, number);
      const bytes = frame(text);
      expect(marks.number(bytes, marks.find(bytes, 0, bytes.length))).toBe(number);
      for (const word of text.match(/[a-z0-9]+/g) ?? []) if (word.length > 12) words.add(word);
    }
    expect(words.size).toBe(100);
  });

  it('of another run is told apart from none', () => {
    const other = frame(markedText('hgfedcba', 1, 1));
    expect(marks.find(other, 0, other.length)).toBe(FOREIGN_MARK);
    const none = frame('nothing');
    expect(marks.find(none, 0, none.length)).toBe(NO_MARK);
  });

  it('outside the bytes that are given is not found', () => {
    const bytes = Buffer.concat([frame('short'), frame(markedText('abcdefgh', 1, 1))]);
    expect(marks.find(bytes, 0, frame('short').length)).toBe(NO_MARK);
  });
});

describe('the verifier', () => {
  const verifier = (order: 'room' | 'sender' = 'room') =>
    new Verifier({ receivers: 4, senderRooms: [0, 0, 1], rooms: [[0, 1, 2], [3]], order });
  const told = (subject: Verifier, receivers: number[], ...messages: [number, number][]): void => {
    for (const receiver of receivers) for (const [sender, number] of messages) subject.take(receiver, sender, number);
  };

  it('finds nothing where each receiver had each message of its rooms once and in order', () => {
    const subject = verifier();
    told(subject, [0, 1, 2], [0, 0], [1, 0], [0, 1]);
    told(subject, [3], [2, 0]);
    expect(anyFault(subject.finish([2, 1, 1]))).toBe(false);
  });

  it.each<[string, [number, number][], Record<string, number>]>([
    [
      'a lost one in between',
      [
        [0, 0],
        [0, 2],
      ],
      { lost: 1 },
    ],
    [
      'a lost last one',
      [
        [0, 0],
        [0, 1],
      ],
      { lost: 1 },
    ],
    [
      'one that came twice',
      [
        [0, 0],
        [0, 1],
        [0, 1],
        [0, 2],
      ],
      { doubled: 1 },
    ],
    [
      'one that came late',
      [
        [0, 0],
        [0, 2],
        [0, 1],
      ],
      { reordered: 1, lost: 0 },
    ],
    [
      'one that came late and then again',
      [
        [0, 1],
        [0, 0],
        [0, 0],
        [0, 2],
      ],
      { reordered: 1, doubled: 1 },
    ],
    [
      'one of a room that the receiver is not in',
      [
        [0, 0],
        [0, 1],
        [2, 0],
        [0, 2],
      ],
      { foreign: 1 },
    ],
    [
      'one of a sender that does not exist',
      [
        [0, 0],
        [0, 1],
        [0, 2],
        [9, 0],
      ],
      { foreign: 1 },
    ],
  ])('finds %s', (_what, messages, faults) => {
    const subject = verifier();
    told(subject, [0, 1], [0, 0], [0, 1], [0, 2]);
    told(subject, [2], ...messages);
    expect(subject.finish([3, 0, 0])).toMatchObject({ disagreed: 0, ...faults });
  });

  it('finds a receiver that saw two senders in another order than the rest, where one order is promised', () => {
    for (const [order, disagreed] of [
      ['room', 1],
      ['sender', 0],
    ] as const) {
      const subject = verifier(order);
      told(subject, [0, 1], [0, 0], [1, 0]);
      told(subject, [2], [1, 0], [0, 0]);
      expect(subject.finish([1, 1, 0])).toMatchObject({ lost: 0, reordered: 0, disagreed });
    }
  });
});

describe('a work point', () => {
  it('has as many members in each room as its text says', () => {
    const works = workPoints(false);
    expect(membersOf(works.sat10)).toEqual([Array.from({ length: 1_000 }, (_, i) => i)]);
    expect(membersOf(works.rooms).map((members) => members.length)).toEqual(Array.from({ length: 200 }, () => 5));
    expect(sendersOf(works.rooms)).toHaveLength(200);
    for (const quick of [true, false]) {
      const { idle } = workPoints(quick);
      for (const member of [0, 1, 999, 1_999]) expect(new Set(roomsOf(idle, member)).size).toBe(20);
      expect(membersOf(idle).every((members) => members.length >= 1_000)).toBe(true);
      expect(new Set(sendersOf(idle).map(({ member }) => member)).size).toBe(idle.rooms);
    }
  });

  it('has due times that are the same for the same seed', () => {
    const draw = (seed: number): number[] => Array.from({ length: 5 }, seeded(seed));
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
    expect(percentiles(Array.from({ length: 1_000 }, seeded(1))).p50).toBeCloseTo(0.5, 1);
  });
});
