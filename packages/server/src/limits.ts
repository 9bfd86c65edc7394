/** Every limit by name, with its default. The only list: config reads it, the README's table is made from it. */

export interface Limit {
  default: number;
  min: number;
  max: number;
  text: string;
}

/** Sizes and counts: they hold whether or not rate limits are on. */
const SIZE_LIMITS = {
  MESSAGE_TEXT_MAX: { default: 10_000, min: 1, max: 65_536, text: 'longest message, in code points' },
  NAME_MAX: { default: 50, min: 8, max: 200, text: 'longest user or user group name, in code points' },
  ROOM_NAME_MAX: { default: 100, min: 8, max: 200, text: 'longest room name, in code points' },
  TOPIC_MAX: {
    default: 1_000,
    min: 0,
    max: 2_000,
    text: 'longest room topic, profile text or description, in code points',
  },
  GROUP_MEMBERS_MAX: { default: 100, min: 2, max: 10_000, text: 'most members of a group' },
  CHANNEL_MEMBERS_MAX: { default: 100_000, min: 2, max: 10_000_000, text: 'most members of a channel' },
  USERGROUP_MEMBERS_MAX: { default: 1_000, min: 1, max: 100_000, text: 'most members of a user group' },
  ROOMS_PER_USER_MAX: { default: 1_000, min: 1, max: 100_000, text: 'most rooms that one user may be in' },
  REACTIONS_PER_MESSAGE_MAX: { default: 50, min: 1, max: 1_000, text: 'most different emoji on one message' },
  PINS_PER_ROOM_MAX: { default: 100, min: 1, max: 10_000, text: 'most pinned messages in a room' },
  MENTIONS_PER_MESSAGE_MAX: {
    default: 100,
    min: 1,
    max: 10_000,
    text: 'most people that one message may call by name or user group',
  },
  PASSWORD_MIN: { default: 8, min: 1, max: 128, text: 'shortest password, in code points' },
  SESSIONS_PER_USER_MAX: {
    default: 50,
    min: 1,
    max: 10_000,
    text: 'most sessions of a user; the one used longest ago ends',
  },
  SOCKETS_PER_USER_MAX: { default: 50, min: 1, max: 100_000, text: 'most open sockets of a user on one node' },
  NATS_CREDENTIALS_SECONDS: {
    default: 900,
    min: 2,
    max: 86_400,
    text: 'seconds for which credentials for NATS let a follower in; it then asks for others',
  },
  PASSWORD_CHECKS_MAX: {
    default: 2,
    min: 1,
    max: 64,
    text: 'passwords hashed at once: each takes 19 MiB and a thread for some 30 ms',
  },
  PASSWORD_QUEUE_MAX: {
    default: 500,
    min: 0,
    max: 100_000,
    text: 'log-ins and registrations that wait for that; beyond it they are refused as overloaded',
  },
  RATE_SUBJECTS_MAX: {
    default: 100_000,
    min: 1_000,
    max: 10_000_000,
    text: 'users or addresses that one rate limit remembers; beyond it those least used are forgotten',
  },
  FIGURE_SECONDS: { default: 5, min: 1, max: 3_600, text: 'seconds between the figures of the server that admins see' },
  FIGURES_MAX: { default: 360, min: 1, max: 10_000, text: 'most of them that are kept' },
  PAGE_MAX: { default: 200, min: 1, max: 1_000, text: 'most rows in one page' },
  DIALECT_PAGE_MAX: {
    default: 1_000,
    min: 100,
    max: 10_000,
    text: 'most rows in one page of a dialect that names no limit of its own; whoever asks for more gets so many',
  },
  FRAME_BYTES_MAX: {
    default: 65_536,
    min: 1_024,
    max: 1_048_576,
    text: 'largest WebSocket frame (and message), in bytes',
  },
  JSON_DEPTH_MAX: {
    default: 64,
    min: 4,
    max: 500,
    text: 'deepest nesting of JSON that comes through a dialect: in a body, and in what is kept with a message',
  },
  BODY_BYTES_MAX: { default: 262_144, min: 1_024, max: 16_777_216, text: 'largest HTTP request body, in bytes' },
  SOCKET_BUFFER_BYTES_MAX: {
    default: 1_048_576,
    min: 65_536,
    max: 67_108_864,
    text: 'most bytes that wait for one socket; beyond it live events stop and the socket catches up from the log',
  },
  RESUME_EVENTS_MAX: {
    default: 1_000,
    min: 10,
    max: 100_000,
    text: 'events of one room sent on resume; further behind, the client reads a page',
  },
  ROOM_RING_EVENTS: {
    default: 256,
    min: 16,
    max: 65_536,
    text: 'newest events of a followed room kept encoded in memory',
  },
  COMMIT_BATCH_MAX: { default: 1_000, min: 1, max: 100_000, text: 'most commands in one transaction' },
  COMMIT_QUEUE_MAX: {
    default: 50_000,
    min: 100,
    max: 10_000_000,
    text: 'most commands that wait for the log; beyond it they are refused as overloaded',
  },
  ROOM_RING_BYTES: {
    default: 262_144,
    min: 16_384,
    max: 67_108_864,
    text: 'most bytes of the newest events of one followed room kept in memory',
  },
  LOG_PAGE_CACHE_BYTES: {
    default: 67_108_864,
    min: 1_048_576,
    max: 17_179_869_184,
    text: 'most bytes of older events kept in memory while clients that come back read them',
  },
  COMMANDS_IN_FLIGHT_PER_SOCKET: {
    default: 256,
    min: 1,
    max: 65_536,
    text: 'most unanswered commands of a socket; beyond it the socket is not read',
  },
  BAD_FRAMES_MAX: {
    default: 10,
    min: 1,
    max: 1_000,
    text: 'frames that could not be read, after which a socket is closed',
  },
  FRAGMENTS_MAX: { default: 128, min: 1, max: 16_384, text: 'most fragments of one WebSocket message' },
  NATS_BUFFER_BYTES_MAX: {
    default: 8_388_608,
    min: 65_536,
    max: 1_073_741_824,
    text: 'most bytes that wait for NATS; beyond it other nodes are told nothing and read the log',
  },
  DATABASE_CONNECTIONS_MAX: {
    default: 12,
    min: 8,
    max: 1_000,
    text: 'most connections of a node to PostgreSQL; all nodes together have to stay below its max_connections',
  },
  PRESENCE_WATCH_MAX: { default: 500, min: 0, max: 1_000, text: 'most people whose presence one socket follows' },
  SEARCH_TEXT_MAX: { default: 256, min: 1, max: 1_000, text: 'longest search query, in code points' },
  SEARCH_EXPANSIONS_MAX: {
    default: 200,
    min: 1,
    max: 1_000,
    text: 'most different words that a part of a word, or a misspelt one, is looked up as',
  },
  SEARCH_ROWS_MAX: {
    default: 10_000,
    min: 100,
    max: 1_000_000,
    text: 'most messages read for one page of search; the page may then be short and have a next one',
  },
} as const satisfies Record<string, Limit>;

/** Times, in seconds where the name says nothing else. */
const TIME_LIMITS = {
  FLUSH_GATHER_MS_MAX: {
    default: 10,
    min: 0,
    max: 100,
    text: 'most milliseconds that frames of a room wait for others which are being committed, so that they leave in one write; less where the writes take less, none where nothing is under way; 0 switches it off',
  },
  HELLO_TIMEOUT_SECONDS: { default: 10, min: 1, max: 60, text: 'a socket that has not said hello by then is closed' },
  HEARTBEAT_SECONDS: {
    default: 30,
    min: 5,
    max: 600,
    text: 'between pings; a socket silent for two of them is closed',
  },
  SLOW_READER_SECONDS: {
    default: 30,
    min: 1,
    max: 600,
    text: 'a socket whose buffer stays over its limit this long is closed',
  },
  TYPING_SECONDS: { default: 6, min: 1, max: 60, text: 'typing ends by itself after this' },
  REQUEST_TIMEOUT_SECONDS: {
    default: 30,
    min: 1,
    max: 600,
    text: 'an HTTP request not received whole by then is closed',
  },
  HEADERS_TIMEOUT_SECONDS: {
    default: 10,
    min: 1,
    max: 120,
    text: 'HTTP headers not received by then: the connection is closed',
  },
  HEAD_AUDIT_SECONDS: {
    default: 4,
    min: 1,
    max: 300,
    text: 'between comparisons of the followed rooms with the log, which heal lost hints',
  },
  HEAD_AUDIT_ALERT_SECONDS: {
    default: 1,
    min: 1,
    max: 300,
    text: 'the same while NATS is away, another node is silent, or hints were lost in the last minute',
  },
  FEED_GRACE_SECONDS: {
    default: 60,
    min: 0,
    max: 3_600,
    text: 'a room that nobody follows any more is kept in memory this long',
  },
  LAST_SEEN_SECONDS: { default: 10, min: 1, max: 600, text: 'between writes of when users were last seen' },
  PRESENCE_LEASE_SECONDS: {
    default: 30,
    min: 3,
    max: 600,
    text: 'users of a node that is not heard of for this long are offline',
  },
  CLOSE_SECONDS: {
    default: 5,
    min: 1,
    max: 60,
    text: 'a socket that was told to close and does not is cut off after this',
  },
  SEARCH_FORGET_SECONDS: {
    default: 600,
    min: 0,
    max: 86_400,
    text: 'deleted text can be found no more at once; this long after, its words are written out of the file of the search index too',
  },
  DATABASE_CONNECT_SECONDS: {
    default: 5,
    min: 1,
    max: 60,
    text: 'PostgreSQL has to take a connection within this time',
  },
  DATABASE_STATEMENT_SECONDS: {
    default: 8,
    min: 1,
    max: 600,
    text: 'most time of one statement on PostgreSQL; a third of it may be spent waiting for a room that another node writes to',
  },
  SHUTDOWN_SECONDS: { default: 10, min: 1, max: 300, text: 'most time that a graceful stop may take' },
} as const satisfies Record<string, Limit>;

/** A limit of so many in so many seconds, smoothed: a bucket of that size which fills up again in that time. */
export interface RateLimit extends Limit {
  seconds: number;
}

/** Rates. `LIMITS=off` switches them off, for load tests. An address is one of IPv4, or a /64 network of IPv6. */
export const RATE_LIMITS = {
  RATE_LOGIN_PER_ACCOUNT: {
    default: 10,
    min: 1,
    max: 1_000_000,
    seconds: 300,
    text: 'failed log-ins for an account from an address, in 5 minutes',
  },
  RATE_LOGIN_PER_ADDRESS: {
    default: 100,
    min: 1,
    max: 1_000_000,
    seconds: 300,
    text: 'failed log-ins from an address, in 5 minutes',
  },
  RATE_REGISTER_PER_ADDRESS: {
    default: 60,
    min: 1,
    max: 1_000_000,
    seconds: 60,
    text: 'registrations from an address, in a minute',
  },
  RATE_REFRESH_PER_ADDRESS: {
    default: 600,
    min: 1,
    max: 1_000_000,
    seconds: 60,
    text: 'token refreshes from an address, in a minute',
  },
  RATE_SENDS_PER_USER: {
    default: 300,
    min: 1,
    max: 1_000_000,
    seconds: 10,
    text: 'messages of a user, in 10 seconds, over all sockets and HTTP together',
  },
  RATE_COMMANDS_PER_USER: {
    default: 600,
    min: 1,
    max: 1_000_000,
    seconds: 10,
    text: 'other commands of a user, in 10 seconds, over all sockets and HTTP together',
  },
  RATE_FRAMES_PER_SOCKET: {
    default: 1_000,
    min: 1,
    max: 1_000_000,
    seconds: 10,
    text: 'frames of a socket, in 10 seconds; beyond it the socket is closed',
  },
  RATE_SEARCHES_PER_USER: {
    default: 60,
    min: 1,
    max: 1_000_000,
    seconds: 10,
    text: 'searches of a user, in 10 seconds',
  },
  RATE_REQUESTS_PER_ADDRESS: {
    default: 6_000,
    min: 1,
    max: 10_000_000,
    seconds: 60,
    text: 'HTTP requests from an address, in a minute',
  },
  RATE_HELLOS_PER_ADDRESS: {
    default: 6_000,
    min: 1,
    max: 10_000_000,
    seconds: 60,
    text: 'WebSocket upgrades from an address, in a minute',
  },
} as const satisfies Record<string, RateLimit>;
export type RateName = keyof typeof RATE_LIMITS;

export const LIMITS = { ...SIZE_LIMITS, ...TIME_LIMITS, ...RATE_LIMITS };
export type LimitName = keyof typeof LIMITS;
export type Limits = Record<LimitName, number>;

export const DEFAULT_LIMITS: Limits = Object.fromEntries(
  Object.entries(LIMITS).map(([name, limit]) => [name, limit.default]),
) as Limits;
