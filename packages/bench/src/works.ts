/** The work points: who is connected, who sends, and how a send is complete. The same for every server. */

interface Timed {
  /** Before anything is counted, in milliseconds. */
  warmup: number;
  /** Counted, in milliseconds. */
  window: number;
}

/** Closed loop: a sender sends again when what it has in flight is complete. */
export interface ClosedWork extends Timed {
  kind: 'closed';
  name: string;
  members: number;
  rooms: number;
  /** Senders in each room. */
  senders: number;
  /** Messages in flight for each sender. */
  inFlight: number;
  /** Complete when the sender has it back itself, or when every member of the room has it; confirmed in both cases. */
  complete: 'own' | 'all';
}

/** Open loop: messages are sent at times that were fixed beforehand, whatever the server does. */
export interface OpenWork extends Timed {
  kind: 'open';
  name: string;
  members: number;
  rooms: 1;
  senders: number;
  /** Messages a second on average; the gaps are exponential, from a seed that all servers of a round share. */
  rate: number;
}

/** Connections that do nothing: what each costs in memory. */
export interface IdleWork {
  kind: 'idle';
  name: string;
  members: number;
  rooms: number;
  roomsEach: number;
  /** Connections that are there before the first reading, so that fixed costs are not counted. */
  before: number;
  /** Quiet before a reading, in milliseconds. */
  settle: number;
}

/** Clients that come back at once, each of which lacks the same number of messages in several rooms. */
export interface ResumeWork {
  kind: 'resume';
  name: string;
  members: number;
  rooms: number;
  roomsEach: number;
  /** Messages that everybody lacks in each of their rooms. */
  behind: number;
}

export type Work = ClosedWork | OpenWork | IdleWork | ResumeWork;

export const WORK_NAMES = ['sat10', 'sat100', 'rate50', 'rooms', 'idle', 'resume'] as const;
export type WorkName = (typeof WORK_NAMES)[number];

export const WORK_TEXTS: Record<WorkName, string> = {
  sat10: 'one room, 1,000 members, 10 of them send, closed loop, 10 messages in flight',
  sat100: 'the same with 100 messages in flight',
  rate50: 'the same room at 50 messages a second, open loop; latency from the time at which a message was due',
  rooms: '200 rooms of 5 members, one sender each, one message in flight a room, confirmed and delivered to all five',
  idle: 'memory for each of 10,000 connections (quick: 2,000) that are logged in and in 20 rooms',
  resume: '10,000 clients (quick: 1,000) come back at once, each 50 messages behind in 5 rooms of 1,000 (quick: 100)',
};

/** Messages that those who come back lack in each of their rooms. */
export const BEHIND = 50;

export function workPoints(quick: boolean): Record<WorkName, Work> {
  const closed = quick ? { warmup: 1_500, window: 1_200 } : { warmup: 3_000, window: 5_000 };
  const open = quick ? { warmup: 500, window: 2_000 } : { warmup: 2_000, window: 10_000 };
  const room = { members: 1_000, rooms: 1, senders: 10 } as const;
  return {
    sat10: { kind: 'closed', name: 'sat10', ...room, inFlight: 1, complete: 'own', ...closed },
    sat100: { kind: 'closed', name: 'sat100', ...room, inFlight: 10, complete: 'own', ...closed },
    rate50: { kind: 'open', name: 'rate50', ...room, rate: 50, ...open },
    rooms: {
      kind: 'closed',
      name: 'rooms',
      members: 1_000,
      rooms: 200,
      senders: 1,
      inFlight: 1,
      complete: 'all',
      ...closed,
    },
    idle: {
      kind: 'idle',
      name: 'idle',
      members: quick ? 2_000 : 10_000,
      rooms: quick ? 40 : 200,
      roomsEach: 20,
      // What grows once, such as a collector's young generation, has grown by then.
      before: quick ? 200 : 1_000,
      settle: quick ? 500 : 3_000,
    },
    resume: {
      kind: 'resume',
      name: 'resume',
      members: quick ? 1_000 : 10_000,
      rooms: 50,
      roomsEach: 5,
      behind: BEHIND,
    },
  };
}

/** Is a member in one room alone? */
export function oneRoomEach(work: Work): boolean {
  return !('roomsEach' in work) || work.roomsEach === 1;
}

/** The rooms of one member. */
export function roomsOf(work: Work, member: number): number[] {
  if (!('roomsEach' in work)) return [Math.floor((member * work.rooms) / work.members)];
  const step = Math.max(1, Math.floor(work.rooms / work.roomsEach));
  return Array.from({ length: work.roomsEach }, (_, k) => (member * 7 + k * step) % work.rooms);
}

/** The members of every room. */
export function membersOf(work: Work): number[][] {
  const rooms: number[][] = Array.from({ length: work.rooms }, () => []);
  for (let member = 0; member < work.members; member += 1) {
    for (const room of roomsOf(work, member)) rooms[room]?.push(member);
  }
  return rooms;
}

/**
 * Who sends: for each sender its member and its room; spread over the room, so that no server meets them first or last by
 * the order in which they came. An idle run ends with one message in each room, as proof; in a storm of those who come back
 * all that they lack in a room is from one sender.
 */
export function sendersOf(work: Work): { member: number; room: number }[] {
  const each = 'senders' in work ? work.senders : 1;
  const taken = new Set<number>();
  return membersOf(work).flatMap((members, room) =>
    Array.from({ length: each }, (_, k) => {
      const place = Math.floor(((k + 0.5) * members.length) / each);
      // Rooms may have the same members: nobody sends in two of them, or replies could not be told apart.
      const member = [...members.slice(place), ...members].find((one) => !taken.has(one));
      if (member === undefined) throw new Error(`room ${room} has fewer members than senders`);
      taken.add(member);
      return { member, room };
    }),
  );
}
