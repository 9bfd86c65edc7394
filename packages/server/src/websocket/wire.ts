/**
 * WebSocket frames as bytes (RFC 6455 §5.2), made once and written to many sockets: what a server sends is not masked,
 * so the same bytes fit all of them.
 */

const TEXT = 0x81;
const PING = 0x89;
const PONG = 0x8a;

export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const start = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(start + length);
  frame[0] = TEXT;
  if (start === 2) {
    frame[1] = length;
  } else if (start === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeUInt32BE(0, 2);
    frame.writeUInt32BE(length, 6);
  }
  frame.write(text, start);
  return frame;
}

export const jsonFrame = (value: object): Buffer => textFrame(JSON.stringify(value));

/** The answer to a ping carries what the ping carried, at most 125 bytes. */
export function pongFrame(payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([PONG, payload.length]), payload]);
}

export const PING_FRAME = Buffer.from([PING, 0]);
