/**
 * The smallest chat server that keeps nothing, on `ws`: FRAMED=0 calls send() for each socket of a room, FRAMED=1 frames
 * a message once and writes what gathers in one turn of the event loop as one buffer to each socket.
 */
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers';
import { WebSocket, WebSocketServer } from 'ws';
import { textFrame } from './frames.js';

type Ask = { type: 'join'; user: string; rooms: string[] } | { type: 'send'; room: string; text: string };

interface Room {
  name: string;
  seq: number;
  members: Set<WebSocket>;
  /** Frames of this turn, not yet written. */
  gathered: Buffer[];
}

const framed = process.env.FRAMED === '1';
const rooms = new Map<string, Room>();
const users = new WeakMap<WebSocket, string>();
/** The TCP socket below each WebSocket: `ws` has no call that writes a frame made before. */
const below = new WeakMap<WebSocket, Socket>();
let busy: Room[] = [];

function room(name: string): Room {
  let found = rooms.get(name);
  if (!found) {
    found = { name, seq: 0, members: new Set(), gathered: [] };
    rooms.set(name, found);
  }
  return found;
}

function flush(): void {
  const flushed = busy;
  busy = [];
  for (const each of flushed) {
    const bytes = each.gathered.length === 1 ? (each.gathered[0] as Buffer) : Buffer.concat(each.gathered);
    each.gathered = [];
    for (const member of each.members) below.get(member)?.write(bytes);
  }
}

function deliver(to: Room, frame: string): void {
  if (!framed) {
    for (const member of to.members) if (member.readyState === WebSocket.OPEN) member.send(frame);
    return;
  }
  if (to.gathered.length === 0) busy.push(to);
  to.gathered.push(textFrame(frame));
  if (busy.length === 1 && to.gathered.length === 1) setImmediate(flush);
}

function answer(socket: WebSocket, ask: Ask): void {
  if (ask.type === 'join') {
    users.set(socket, ask.user);
    for (const name of ask.rooms) room(name).members.add(socket);
    socket.send('{"type":"joined"}');
    return;
  }
  const to = room(ask.room);
  to.seq += 1;
  const message = {
    type: 'message',
    room: ask.room,
    seq: to.seq,
    from: users.get(socket),
    at: new Date().toISOString(),
  };
  deliver(to, JSON.stringify({ ...message, text: ask.text }));
}

const http = createServer();
const server = new WebSocketServer({ server: http, perMessageDeflate: false });
server.on('connection', (socket, request) => {
  below.set(socket, request.socket);
  socket.on('message', (data) => answer(socket, JSON.parse(String(data)) as Ask));
  // A client that is reset is a client that is gone.
  socket.on('error', () => socket.terminate());
  socket.on('close', () => {
    for (const each of rooms.values()) each.members.delete(socket);
  });
});
http.listen(Number(process.env.PORT), '127.0.0.1', 1_024);

// Ends in its own time, so that a CPU profile is written.
process.once('SIGTERM', () => process.exit(0));
