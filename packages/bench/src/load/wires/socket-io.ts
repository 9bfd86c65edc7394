/** Engine.IO 4 and Socket.IO 5 over a WebSocket from the start: packets begin with their types' digits. */
import type { Wire } from '../wire.js';

export const socketIo: Wire = {
  path: () => '/socket.io/?EIO=4&transport=websocket',
  opcode: 'text',
  confirms: false,
  open(speaker) {
    speaker.send('40');
  },
  join(speaker) {
    speaker.send(`42${JSON.stringify(['join', { user: `user${speaker.member}`, rooms: speaker.rooms }])}`);
  },
  message(_speaker, room, _number, text) {
    return `42["send",{"room":"${room}","text":"${text}"}]`;
  },
  control(speaker, bytes, start, end) {
    const text = bytes.toString('latin1', start, end);
    if (text === '2') speaker.send('3');
    else if (text.startsWith('0{')) return;
    else if (text.startsWith('40{')) speaker.loggedIn();
    else if (text === '42["joined"]') speaker.joined();
    else speaker.refused(text);
  },
};
