/** MQTT 3.1.1 with QoS 0 inside WebSocket frames. */
import type { Wire } from '../wire.js';
import { brokerPayload } from './broker-payload.js';

const TYPE = { connack: 2, publish: 3, suback: 9, pingresp: 13 } as const;

/** One byte of type, the remaining length in up to four bytes of seven bits, and the rest. */
export function mqttLength(bytes: Buffer, start: number, end: number): number {
  let size = 0;
  for (let i = 1; i <= 4; i += 1) {
    if (start + i >= end) return 0;
    const byte = bytes[start + i] as number;
    size += (byte & 127) << (7 * (i - 1));
    if (byte < 128) return 1 + i + size;
  }
  throw new Error('an MQTT packet has a length of more than four bytes');
}

function packet(first: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length: number[] = [];
  let rest = body.length;
  do {
    length.push((rest % 128) + (rest >= 128 ? 128 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.concat([Buffer.from([first, ...length]), body]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const size = Buffer.alloc(2);
  size.writeUInt16BE(bytes.length);
  return Buffer.concat([size, bytes]);
}

export const mqtt: Wire = {
  path: () => '/mqtt',
  subprotocol: 'mqtt',
  opcode: 'binary',
  confirms: false,
  measure: mqttLength,
  open(speaker) {
    // Protocol level 4, clean session, no keep-alive.
    speaker.send(packet(0x10, text('MQTT'), Buffer.from([4, 2, 0, 0]), text(`bench${speaker.member}`)));
  },
  join(speaker) {
    const topics = speaker.rooms.flatMap((room) => [text(String(room)), Buffer.from([0])]);
    speaker.send(packet(0x82, Buffer.from([0, 1]), ...topics));
  },
  message(speaker, room, _number, body) {
    return packet(0x30, text(String(room)), Buffer.from(brokerPayload(speaker.member, room, body)));
  },
  control(speaker, bytes, start, end) {
    const type = (bytes[start] as number) >> 4;
    const granted = bytes.subarray(start + 4, end);
    if (type === TYPE.connack && bytes[start + 3] === 0) speaker.loggedIn();
    else if (type === TYPE.suback && granted.every((code) => code === 0)) speaker.joined();
    else if (type !== TYPE.pingresp)
      speaker.refused(`MQTT packet ${bytes.toString('hex', start, Math.min(end, start + 16))}`);
  },
};
