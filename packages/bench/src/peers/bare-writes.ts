/**
 * What a storm of clients who come back costs at the least: whoever says which rooms it was in gets the messages of these,
 * made once and shared by all, in one system call; nothing is asked, checked or read.
 */
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import { markedText } from '../load/marks.js';
import { textFrame } from './frames.js';

const nonce = process.env.NONCE ?? '';
const behind = Number(process.env.BEHIND);
const JOINED = textFrame('{"type":"joined"}');
const made = new Map<string, Buffer>();

/** As long as Natter's. */
function messages(room: string): Buffer {
  const sender = Number(room.slice(room.lastIndexOf('-') + 1));
  const frames = Array.from({ length: behind }, (_, number) =>
    textFrame(
      `{"type":"message.sent","stream":${10_000 + sender},"seq":${number + 2},"id":${20_000 + number},"actor":${10_000 + sender},` +
        `"at":"2026-01-01T00:00:00.000Z","body":{"text":"${markedText(nonce, sender, number)}"}}`,
    ),
  );
  return Buffer.concat(frames);
}

const http = createServer();
const server = new WebSocketServer({ server: http, perMessageDeflate: false });
server.on('connection', (socket, request) => {
  socket.on('message', (data) => {
    const { rooms } = JSON.parse(String(data)) as { rooms: string[] };
    request.socket.cork();
    for (const room of rooms) {
      const bytes = made.get(room) ?? messages(room);
      made.set(room, bytes);
      request.socket.write(bytes);
    }
    request.socket.write(JOINED);
    request.socket.uncork();
  });
  // A client that is reset is a client that is gone.
  socket.on('error', () => socket.terminate());
});
http.listen(Number(process.env.PORT), '127.0.0.1', 1_024);

// Its open sockets would keep it here.
process.once('SIGTERM', () => process.exit(0));
