/**
 * WebSocket close codes of the native protocol: one table. Imports nothing, so that the SDK can carry it.
 * `reconnect` answers "should the client come back with the same credentials?".
 */
export const CLOSE = {
  normal: { code: 1000, reconnect: false, text: 'closed' },
  going_away: { code: 1001, reconnect: true, text: 'the server is stopping; come back' },
  protocol_error: { code: 1002, reconnect: false, text: 'the WebSocket protocol was broken' },
  not_text: { code: 1003, reconnect: false, text: 'only text frames are read' },
  bad_utf8: { code: 1007, reconnect: false, text: 'a text frame was not UTF-8' },
  too_many_fragments: { code: 1008, reconnect: false, text: 'a message came in too many pieces' },
  frame_too_large: { code: 1009, reconnect: false, text: 'the frame is larger than the limit' },
  internal_error: { code: 1011, reconnect: true, text: 'the server failed; come back' },
  hello_timeout: { code: 4000, reconnect: true, text: 'no hello in time' },
  hello_expected: { code: 4001, reconnect: false, text: 'the first frame must be hello' },
  unauthenticated: { code: 4002, reconnect: false, text: 'the token is not valid' },
  session_ended: { code: 4003, reconnect: false, text: 'the session was ended' },
  heartbeat_timeout: { code: 4004, reconnect: true, text: 'nothing was heard in time' },
  too_slow: { code: 4005, reconnect: true, text: 'the client reads too slowly; come back and resume' },
  too_many_frames: { code: 4006, reconnect: true, text: 'too many frames; come back later' },
  too_many_sockets: { code: 4007, reconnect: true, text: 'too many sockets; come back later' },
  bad_frames: { code: 4008, reconnect: false, text: 'too many frames that could not be read' },
} as const satisfies Record<string, { code: number; reconnect: boolean; text: string }>;

export type CloseReason = keyof typeof CLOSE;

/** Should a client that was closed with this code come back? Codes that are not ours (1006, a proxy's) say yes. */
export function mayReconnect(code: number): boolean {
  for (const row of Object.values(CLOSE)) if (row.code === code) return row.reconnect;
  return true;
}
