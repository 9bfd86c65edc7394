/** The JSON of the two `ws` peers. */
import type { Speaker, Wire } from '../wire.js';

export const plain: Wire = {
  path: () => '/',
  opcode: 'text',
  confirms: false,
  open(speaker) {
    speaker.loggedIn();
  },
  join(speaker) {
    speaker.send(JSON.stringify({ type: 'join', user: `user${speaker.member}`, rooms: speaker.rooms }));
  },
  message(_speaker, room, _number, text) {
    return `{"type":"send","room":"${room}","text":"${text}"}`;
  },
  control(speaker: Speaker, bytes, start, end) {
    const text = bytes.toString('latin1', start, end);
    if (text === '{"type":"joined"}') speaker.joined();
    else speaker.refused(text);
  },
};
