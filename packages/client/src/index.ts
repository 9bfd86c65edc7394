/** The SDK of Natter for browsers and Node. */
export type {
  CommandInput,
  CommandResult,
  CommandType,
  Event,
  EventOf,
  EventType,
  HiddenEvent,
  Message,
  MessagePage,
  RoomRow,
} from '@natter/protocol';
export { type ClientEvents, type ClientOptions, NatterClient, type SendOptions } from './client.js';
export { Credentials, type CredentialsOptions, logIn, register, restoreLogIn } from './credentials.js';
export type { View } from './emitter.js';
export { NatterError } from './errors.js';
export { Http, type Request } from './http.js';
export type { ClosedReason, Connection } from './link.js';
export type { EntryState, KeptOutbox, OpenedOutbox, OutboxEntry, OutboxStorage } from './outbox.js';
export type { Name, People } from './people.js';
export type { Rooms } from './rooms.js';
export type { WebSocketConstructor, WebSocketLike } from './socket.js';
export { type Storage, webStorage } from './storage.js';
export type { Position } from './streams.js';
export type { KeptPage, PageQuery, PendingMessage, Timeline, TimelineSnapshot } from './timeline.js';
export type { Timing } from './timing.js';
