/** XMPP over WebSocket (RFC 7395), in rooms of XEP-0045: a frame is a stanza. */
import type { Speaker, Wire } from '../wire.js';

const HOST = 'localhost';
const ROOMS = 'conference.localhost';
const OPEN = `<open xmlns="urn:ietf:params:xml:ns:xmpp-framing" to="${HOST}" version="1.0"/>`;
const AUTH = '<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="ANONYMOUS"/>';
const BIND = '<iq xmlns="jabber:client" type="set" id="bind"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"/></iq>';

function enter(speaker: Speaker, place: number): void {
  const room = speaker.rooms[place];
  if (room === undefined) return speaker.joined();
  speaker.send(
    `<presence xmlns="jabber:client" to="${room}@${ROOMS}/user${speaker.member}"><x xmlns="http://jabber.org/protocol/muc"><history maxstanzas="0"/></x></presence>`,
  );
}

export const xmpp: Wire = {
  path: () => '/ws',
  subprotocol: 'xmpp',
  opcode: 'text',
  // A message that comes back to its sender is archived.
  confirms: false,
  open(speaker) {
    speaker.send(OPEN);
  },
  join(speaker) {
    enter(speaker, 0);
  },
  message: (_speaker, room, number, text) =>
    `<message xmlns="jabber:client" to="${room}@${ROOMS}" type="groupchat" id="${number}"><body>${text}</body></message>`,
  control(speaker, bytes, start, end) {
    const text = bytes.toString('latin1', start, end);
    const name = /^<([a-z:]+)/.exec(text)?.[1];
    const failed = / type=['"]error['"]/.test(text);
    if (name === 'stream:features') speaker.send(text.includes('<mechanism>') ? AUTH : BIND);
    else if (name === 'success') speaker.send(OPEN);
    else if (name === 'iq' && !failed && / id=['"]bind['"]/.test(text)) speaker.loggedIn();
    else if (name === 'message' && !failed && text.includes('<subject')) {
      // What a room says last to who comes in.
      const room = / from=['"]([^@'"]+)@/.exec(text)?.[1];
      enter(speaker, speaker.rooms.indexOf(room ?? '') + 1);
    } else if ((name !== 'open' && name !== 'presence') || failed) speaker.refused(text.slice(0, 300));
  },
};
