/** The smallest chat server that keeps nothing, on Socket.IO, with its own rooms. */
import { createServer } from 'node:http';
import { Server } from 'socket.io';

const http = createServer();
const io = new Server(http, { transports: ['websocket'], serveClient: false, perMessageDeflate: false });
const heads = new Map<string, number>();

io.on('connection', (socket) => {
  let user = '';
  socket.on('join', async (ask: { user: string; rooms: string[] }) => {
    user = ask.user;
    await socket.join(ask.rooms);
    socket.emit('joined');
  });
  socket.on('send', (ask: { room: string; text: string }) => {
    const seq = (heads.get(ask.room) ?? 0) + 1;
    heads.set(ask.room, seq);
    io.to(ask.room).emit('message', { room: ask.room, seq, from: user, at: new Date().toISOString(), text: ask.text });
  });
});
http.listen(Number(process.env.PORT), '127.0.0.1', 1_024);

// Ends in its own time, so that a CPU profile is written.
process.once('SIGTERM', () => process.exit(0));
