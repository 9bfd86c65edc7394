/** The NATS client protocol inside WebSocket frames, which carry any piece of it. */
import type { Wire } from '../wire.js';
import { brokerPayload } from './broker-payload.js';

const CR = 0x0d;
const SPACE = 0x20;
const M = 0x4d;

/** A line, and after `MSG … <bytes>` as many bytes and a line end more. */
export function natsLength(bytes: Buffer, start: number, end: number): number {
  let line = start;
  while (line < end && bytes[line] !== CR) line += 1;
  if (line + 2 > end) return 0;
  const head = line + 2 - start;
  if (bytes[start] !== M) return head;
  let size = 0;
  for (let at = line - 1, unit = 1; bytes[at] !== SPACE; at -= 1, unit *= 10)
    size += ((bytes[at] as number) - 48) * unit;
  return head + size + 2;
}

export const nats: Wire = {
  path: () => '/',
  opcode: 'binary',
  confirms: false,
  measure: natsLength,
  open(speaker) {
    speaker.send(
      `CONNECT ${JSON.stringify({ verbose: false, pedantic: false, echo: true, lang: 'bench', version: '1' })}\r\nPING\r\n`,
    );
  },
  join(speaker) {
    speaker.send(`${speaker.rooms.map((room, i) => `SUB ${room} ${i + 1}\r\n`).join('')}PING\r\n`);
  },
  message(speaker, room, _number, text) {
    const payload = brokerPayload(speaker.member, room, text);
    return `PUB ${room} ${payload.length}\r\n${payload}\r\n`;
  },
  control(speaker, bytes, start, end) {
    const line = bytes.toString('latin1', start, end);
    if (line === 'PONG\r\n') speaker.stage === 'opening' ? speaker.loggedIn() : speaker.joined();
    else if (line === 'PING\r\n') speaker.send('PONG\r\n');
    else if (!line.startsWith('INFO ')) speaker.refused(line.trim());
  },
};
