/** What the hub delivers, as messages on NATS: JSON, each with the room on whose subject it is said. */
import type { StreamId } from '@natter/protocol';
import { type Encoding, eventJson } from '../hub/encoding.js';

/** Before each message: its length, and its stream. */
const HEAD = 12;

function message(stream: StreamId, json: string): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD + Buffer.byteLength(json));
  bytes.writeUInt32BE(bytes.length, 0);
  bytes.writeBigUInt64BE(BigInt(stream), 4);
  bytes.write(json, HEAD);
  return bytes;
}

export const followerEncoding: Encoding = {
  name: 'follower',
  event: (event) => message(event.stream, eventJson(event)),
  hidden: (stream, seq) => message(stream, `{"type":"hidden","stream":${stream},"seq":${seq}}`),
  /** One for each room. */
  live: (cursors) =>
    Buffer.concat(
      Array.from(cursors, ([stream, seq]) => message(stream, `{"type":"live","stream":${stream},"seq":${seq}}`)),
    ),
  reset: (stream, seq) => message(stream, `{"type":"reset","stream":${stream},"seq":${seq}}`),
  gone: (stream) => message(stream, `{"type":"gone","stream":${stream}}`),
  typing: () => null,
  presence: () => null,
};

/** Takes apart what was joined. */
export function* messages(bytes: Buffer): Generator<{ stream: StreamId; json: Buffer }> {
  for (let at = 0; at < bytes.length; ) {
    const end = at + bytes.readUInt32BE(at);
    yield { stream: Number(bytes.readBigUInt64BE(at + 4)), json: bytes.subarray(at + HEAD, end) };
    at = end;
  }
}
