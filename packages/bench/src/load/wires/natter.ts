/** Natter's own frames: hello with a token, then commands with replies, and events. */
import type { Wire } from '../wire.js';

export const natter: Wire = {
  path: () => '/v1/socket',
  opcode: 'text',
  confirms: true,
  joinsAtOnce: true,
  keepAlive: '{"type":"ping"}',
  open(speaker) {
    // Those who come back say hello when all are there.
    if (speaker.standing) speaker.loggedIn();
    else speaker.send(JSON.stringify({ type: 'hello', token: speaker.token }));
  },
  join(speaker) {
    // Hello subscribes to all rooms of the user: the frame `live` says so.
    const { standing, token, rooms } = speaker;
    if (!standing) return;
    const cursors = Object.fromEntries(rooms.map((room) => [room, standing.seq]));
    speaker.send(JSON.stringify({ type: 'hello', token, epoch: standing.epoch, cursors }));
  },
  message(speaker, room, number, text) {
    return `{"id":${number},"key":"${speaker.member}-${number}","type":"message.send","room":${room},"text":"${text}"}`;
  },
  control(speaker, bytes, start, end) {
    const text = bytes.toString('latin1', start, end);
    // The reply to a send comes once a message: only its id is looked at, and that it is no error.
    const reply = /^\{"type":"reply","id":(\d+),"result":/.exec(text);
    if (reply) return speaker.confirmed(Number(reply[1]));
    const type = /"type":"([a-z_.]+)"/.exec(text)?.[1];
    if (type === 'ready') {
      if (speaker.stage === 'opening') speaker.loggedIn();
    } else if (type === 'live' && speaker.stage !== 'live') speaker.joined();
    else if (type === 'goodbye' || type === 'reset' || type === 'gone' || type === 'reply')
      speaker.refused(text.slice(0, 300));
  },
};
