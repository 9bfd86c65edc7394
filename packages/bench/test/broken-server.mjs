// A small chat server on `ws` that does one thing wrong, named by FAULT, to one of its members.
import { WebSocketServer } from 'ws';

const fault = process.env.FAULT;
/** The member that suffers, who does not send, and the message at which it does. */
const VICTIM = 'user7';
const AT = 30;

const members = new Map();
const server = new WebSocketServer({ port: Number(process.env.PORT), host: '127.0.0.1' });
let seq = 0;
let held = null;

function deliver(user, socket, message) {
  const frame = JSON.stringify(message);
  if (user !== VICTIM || seq < AT) return socket.send(frame);
  if (held && (fault === 'disagree' || held.from === message.from)) {
    const late = held;
    const swap = fault === 'reorder' || late.from !== message.from;
    held = swap ? null : message;
    // Two of one sender in a row are not what is wanted here: the first one goes, the second one waits.
    if (swap) socket.send(frame);
    return socket.send(JSON.stringify(late));
  }
  if (seq > AT || !fault) return socket.send(frame);
  switch (fault) {
    case 'lose':
      return;
    case 'double':
      socket.send(frame);
      return socket.send(frame);
    case 'reorder':
    case 'disagree':
      held = message;
      return;
    case 'foreign':
      socket.send(frame);
      return socket.send(frame.replace(/~#.{8}/, '~#otherrun'));
    case 'corrupt':
      return socket.send(frame.slice(0, -40));
    case 'notice':
      socket.ping('are you there');
      return socket.send(frame);
    case 'close':
      return socket.close(4005, 'too slow');
    case 'die':
      return process.exit(3);
    default:
      throw new Error(`no such fault: ${fault}`);
  }
}

server.on('connection', (socket) => {
  let user = '';
  socket.on('message', (data) => {
    const ask = JSON.parse(String(data));
    if (ask.type === 'join') {
      user = ask.user;
      members.set(user, socket);
      socket.send('{"type":"joined"}');
      return;
    }
    seq += 1;
    const message = { type: 'message', seq, from: user, text: ask.text };
    for (const [name, member] of members) deliver(name, member, message);
  });
  socket.on('error', () => socket.terminate());
});
