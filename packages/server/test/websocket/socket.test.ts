/** The bytes that go to a socket past Node's stream: all of them, once and in order, whatever the network takes. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket as NetSocket } from 'node:net';
import { Socket } from '@natter/server/websocket/socket';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';

describe('a socket', () => {
  let raw: NetSocket;
  let reader: NetSocket;
  let socket: Socket;
  let close: () => void;

  beforeEach(async () => {
    const server = createServer();
    const accepted = once(server, 'connection') as Promise<[NetSocket]>;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    reader = connect((server.address() as AddressInfo).port, '127.0.0.1');
    [raw] = await accepted;
    raw.on('error', () => {});
    reader.on('error', () => {});
    socket = new Socket({ readyState: WebSocket.OPEN } as WebSocket, raw);
    close = () => {
      reader.destroy();
      raw.destroy();
      server.close();
    };
  });
  afterEach(() => close());

  /** As many bytes as are told, told apart by where they stand. */
  function bytes(from: number, length: number): Buffer {
    const made = Buffer.alloc(length);
    for (let at = 0; at < length; at += 1) made[at] = (from + at) % 251;
    return made;
  }

  async function read(length: number): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let got = 0;
    for await (const chunk of reader as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      got += chunk.length;
      if (got >= length) break;
    }
    return Buffer.concat(chunks);
  }

  it('gives small frames to the kernel at once: nothing of them waits in the stream', async () => {
    socket.write(bytes(0, 100));
    socket.write([bytes(100, 100), bytes(200, 50)]);
    expect(raw.bytesWritten).toBe(0);
    expect(socket.waiting).toBe(0);
    expect((await read(250)).equals(bytes(0, 250))).toBe(true);
  });

  it('keeps the order where the network takes only a part, and nothing for a while', async () => {
    reader.pause();
    let written = 0;
    const lengths = [1, 230, 9_000, 200_000, 3, 1_000_000, 8_191];
    for (let round = 0; round < 40; round += 1) {
      const length = lengths[round % lengths.length] as number;
      const half = length >> 1;
      if (round % 3 === 0) socket.write([bytes(written, half), bytes(written + half, length - half)]);
      else socket.write(bytes(written, length));
      written += length;
    }
    expect(socket.waiting).toBeGreaterThan(0);
    expect(socket.blocked).toBe(true);
    const drained = new Promise<void>((resolve) => socket.onDrain(resolve));
    const all = await read(written);
    expect(all.length).toBe(written);
    expect(all.equals(bytes(0, written))).toBe(true);
    await drained;
    expect(socket.waiting).toBe(0);
  });

  it('writes nothing to one that is closed, and never to a descriptor that is another one’s by now', async () => {
    socket.write(bytes(0, 10));
    await read(10);
    raw.destroy();
    const other = await new Promise<NetSocket>((resolve) => {
      const server = createServer((accepted) => {
        server.close();
        resolve(accepted);
      });
      server.listen(0, '127.0.0.1', () => {
        const { port } = server.address() as AddressInfo;
        connect(port, '127.0.0.1')
          .on('error', () => {})
          .on('data', (data) => heard.push(data));
      });
    });
    const heard: Buffer[] = [];
    socket.write(bytes(0, 10));
    other.end('end');
    await expect.poll(() => Buffer.concat(heard).toString()).toBe('end');
  });

  it('leaves it to the stream to say that the other side is gone', async () => {
    const closed = new Promise<void>((resolve) => raw.once('close', () => resolve()));
    reader.resetAndDestroy();
    for (let i = 0; i < 1_000 && !raw.destroyed; i += 1) {
      socket.write(bytes(0, 100));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await closed;
    expect(() => socket.write(bytes(0, 100))).not.toThrow();
  });
});
