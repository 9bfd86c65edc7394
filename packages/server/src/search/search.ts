/** The search port: finds messages that a user may read. Drivers: sqlite. The index follows the log by itself [M5]. */
import type { MessageId, RoomId, UserId } from '@natter/protocol';
import type { Selectable } from 'kysely';
import type { Answer } from '../core/actor.js';
import type { Tables } from '../store/tables.js';

/** `auto`: the first of words, substring, fuzzy that finds anything. */
export type SearchMode = 'auto' | 'words' | 'substring' | 'fuzzy';

/** Which way a message was found: whole words as they stand, a part of a word, or a word spelt nearly so. */
export type Match = 'word' | 'substring' | 'typo';

export interface SearchRequest {
  user: UserId;
  /** Words and "phrases", all of which must occur. Nothing else in it is an operator. */
  text: string;
  mode?: SearchMode | undefined;
  room?: RoomId | undefined;
  /** Only what this user wrote. */
  from?: UserId | undefined;
  /** Only what was said before this time; milliseconds since 1970. */
  before?: number | undefined;
  /** Only what was said at this time or later. */
  after?: number | undefined;
  limit: number;
  /** `next` of the page before; belongs to the same request. */
  cursor?: string | undefined;
}

export interface FoundMessage {
  id: MessageId;
  /** The message as it stood at the moment of reading. */
  row: Selectable<Tables['messages']>;
  match: Match;
  /** [start, end) in UTF-16 code units of the text, rising, not touching. */
  ranges: [number, number][];
}

/** Newest first (by id). A page may hold fewer hits than asked for, even none, and still have a next one: the work for one page is bounded. */
export interface FoundPage {
  hits: FoundMessage[];
  next: string | null;
}

export interface SearchState {
  /** Id of the newest event that the index has taken in. */
  position: number;
  messages: number;
  words: number;
}

export interface Search {
  find(request: SearchRequest): Promise<Answer<FoundPage>>;
  /** Something was committed: follow it. Cheap, and may be called at any rate. */
  wake(): void;
  /** Resolves once everything that was committed before the call can be found. */
  settled(): Promise<void>;
  state(): Promise<SearchState>;
  close(): Promise<void>;
}
