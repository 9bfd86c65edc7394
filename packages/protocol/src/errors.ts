/**
 * Every refusal that a client can meet, natively and behind the dialects: one table. Imports nothing, so that the SDK can carry it.
 * `retryable` answers "may the same command succeed later, unchanged?".
 */
export const ERRORS = {
  // the request itself
  bad_frame: { status: 400, retryable: false, title: 'The frame is not a JSON object with a known type' },
  malformed: { status: 400, retryable: false, title: 'The request could not be read' },
  invalid: { status: 422, retryable: false, title: 'The input does not have the shape that is asked for' },
  too_large: { status: 413, retryable: false, title: 'The input is larger than the limit' },
  unsupported_type: { status: 415, retryable: false, title: 'The content type is not one that is served here' },
  method_not_allowed: { status: 405, retryable: false, title: 'The path does not take this method' },
  upgrade_required: { status: 426, retryable: false, title: 'A WebSocket is opened here' },
  // who is asking
  unauthenticated: { status: 401, retryable: false, title: 'A valid access token is needed' },
  bad_credentials: { status: 401, retryable: false, title: 'Name or password is wrong' },
  bad_refresh_token: { status: 401, retryable: false, title: 'The refresh token is not valid' },
  forbidden: { status: 403, retryable: false, title: 'Your role does not allow this' },
  account_deactivated: { status: 403, retryable: false, title: 'The account is deactivated' },
  registration_closed: { status: 403, retryable: false, title: 'Registration is closed on this server' },
  // what is asked for; a room one is not in answers like one that does not exist
  not_found: { status: 404, retryable: false, title: 'There is no such thing, or it is not yours to see' },
  // state
  name_taken: { status: 409, retryable: false, title: 'The name is taken' },
  email_taken: { status: 409, retryable: false, title: 'The e-mail address is taken' },
  already_exists: { status: 409, retryable: false, title: 'It exists already' },
  key_conflict: { status: 409, retryable: false, title: 'This idempotency key was used for another command' },
  conflict: { status: 409, retryable: true, title: 'Others changed the same thing at once; try again' },
  archived: { status: 409, retryable: false, title: 'The room is archived' },
  message_deleted: { status: 409, retryable: false, title: 'The message was deleted' },
  wrong_room_kind: { status: 409, retryable: false, title: 'This kind of room does not allow that' },
  last_owner: { status: 409, retryable: false, title: 'A room keeps at least one owner' },
  last_admin: { status: 409, retryable: false, title: 'The server keeps at least one active admin' },
  user_unavailable: { status: 409, retryable: false, title: 'That account cannot take part' },
  precondition_failed: { status: 412, retryable: false, title: 'It changed since you read it' },
  // limits
  room_full: { status: 409, retryable: false, title: 'The room has as many members as it may have' },
  limit_reached: { status: 409, retryable: false, title: 'There are as many as there may be' },
  rate_limited: { status: 429, retryable: true, title: 'Too many requests; wait before the next one' },
  // the server
  internal: {
    status: 500,
    retryable: true,
    title: 'The server failed; the command may or may not have been carried out',
  },
  overloaded: { status: 503, retryable: true, title: 'The server is busy; try again' },
  not_configured: { status: 501, retryable: false, title: 'Not set up here' },
  shutting_down: { status: 503, retryable: true, title: 'The server is stopping; connect again' },
} as const;

export type ErrorCode = keyof typeof ERRORS;

/** What a refusal says beside its code. */
export interface ErrorDetail {
  /** One sentence for a developer; never shows more than the asker may know. */
  detail?: string;
  /** JSON Pointers (RFC 6901) into the input, each with what is wrong there. */
  fields?: { path: string; message: string }[];
  /** Seconds to wait, for `rate_limited` and `overloaded`. */
  retryAfter?: number;
}

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}
