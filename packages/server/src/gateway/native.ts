/** What the hub delivers, as frames of the native protocol. */
import type { GoneFrame, HiddenEvent, PresenceSignal, ResetFrame, TypingSignal } from '@natter/protocol';
import { type Encoding, eventJson } from '../hub/encoding.js';
import { jsonFrame, textFrame } from '../websocket/wire.js';

export const nativeEncoding: Encoding = {
  name: 'native',

  event: (event) => textFrame(eventJson(event)),

  hidden: (stream, seq) => jsonFrame({ type: 'hidden', stream, seq } satisfies HiddenEvent),

  /** Written by hand: an object with numbers for keys costs many times what it says. */
  live(cursors) {
    let members = '';
    for (const [stream, seq] of cursors) members += `${members === '' ? '' : ','}"${stream}":${seq}`;
    return textFrame(`{"type":"live","cursors":{${members}}}`);
  },

  reset: (stream, seq) => jsonFrame({ type: 'reset', stream, seq } satisfies ResetFrame),

  gone: (stream) => jsonFrame({ type: 'gone', stream } satisfies GoneFrame),

  typing: (room, user, active) => jsonFrame({ type: 'typing', room, user, active } satisfies TypingSignal),

  presence: (rows) =>
    jsonFrame({
      type: 'presence',
      users: rows.map(({ user, online, lastSeen }) => ({
        user,
        online,
        lastSeen: lastSeen === null ? null : new Date(lastSeen).toISOString(),
      })),
    } satisfies PresenceSignal),
};
