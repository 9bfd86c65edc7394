/** What the gateway needs from outside and does not know how it is done. */
import type { Command, RoomRow, SessionId, UserId } from '@natter/protocol';
import type { Actor, Reply } from '../core/actor.js';

/** Whom a token names: its signature and times hold; whether the session still lives was not asked. */
export interface Identity {
  user: UserId;
  session: SessionId;
  /** The API that made the token; '' or absent: the native one. */
  dialect?: string;
}

/** In two steps, so that the end of a session which comes between them is not missed [A1]. */
export interface Authenticator {
  /** What the token says, if it is one of ours and of now; asks no store. */
  identify(token: string): Identity | null;
  /** The actor, if the session lives and the account is active, as committed at a moment after the call. */
  confirm(identity: Identity): Promise<Actor | null>;
}

export interface Commands {
  execute(actor: Actor, command: Command, options: { key?: string }): Promise<Reply>;
}

/** The rooms of a user, each with the head for which the membership is so: one query, read after the call. */
export type RoomRows = (user: UserId) => Promise<readonly RoomRow[]>;
