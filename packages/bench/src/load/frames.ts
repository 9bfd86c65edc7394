/** The little of RFC 6455 that a client needs here: the length of a server's frame, and a masked frame of our own. */
import { createHash, randomBytes } from 'node:crypto';

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** Length of the frame at `start`, header included; 0 while it can't be told. */
export function frameLength(bytes: Buffer, start: number, end: number): number {
  if (end - start < 2) return 0;
  const short = bytes[start + 1] as number;
  if (short < 126) return 2 + short;
  if (short === 126)
    return end - start < 4 ? 0 : 4 + (((bytes[start + 2] as number) << 8) | (bytes[start + 3] as number));
  if (short > 127) throw new Error('a server must not mask its frames');
  return end - start < 10 ? 0 : 10 + Number(bytes.readBigUInt64BE(start + 2));
}

/** Bytes before the payload of a server's frame. */
export function headerLength(bytes: Buffer, start: number): number {
  const short = bytes[start + 1] as number;
  return short < 126 ? 2 : short === 126 ? 4 : 10;
}

/** One mask for a process: it has to be there, and here nobody attacks a proxy in between. */
const MASK = randomBytes(4);

/** A frame as a client sends it. */
export function clientFrame(opcode: number, payload: string | Buffer): Buffer {
  const length = typeof payload === 'string' ? Buffer.byteLength(payload) : payload.length;
  if (length > 65_535) throw new Error('the load generator sends no frame this large');
  const header = length < 126 ? 6 : 8;
  const frame = Buffer.allocUnsafe(header + length);
  frame[0] = 0x80 | opcode;
  if (length < 126) frame[1] = 0x80 | length;
  else {
    frame[1] = 0x80 | 126;
    frame.writeUInt16BE(length, 2);
  }
  MASK.copy(frame, header - 4);
  if (typeof payload === 'string') frame.write(payload, header);
  else payload.copy(frame, header);
  for (let i = 0; i < length; i += 1) frame[header + i] = (frame[header + i] as number) ^ (MASK[i & 3] as number);
  return frame;
}

const KEY = randomBytes(16).toString('base64');
const ACCEPT = createHash('sha1').update(`${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');

export function upgradeRequest(port: number, path: string, subprotocol: string | undefined): string {
  return [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${KEY}`,
    ...(subprotocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${subprotocol}`]),
    '\r\n',
  ].join('\r\n');
}

/** Why an answer to the upgrade is not one that we take, or null. */
export function upgradeFault(head: string): string | null {
  if (!head.startsWith('HTTP/1.1 101 ')) return `the upgrade was answered with ${head.slice(0, head.indexOf('\r\n'))}`;
  const accept = /^sec-websocket-accept:[ \t]*(\S+)[ \t]*$/im.exec(head)?.[1];
  return accept === ACCEPT ? null : 'the upgrade was answered with the wrong Sec-WebSocket-Accept';
}
