/** All reads, each authorised here: what edges may ask. `(actor, input) → Answer`; refusals are values. */
import type { MessageId, RoomId, UserGroupId, UserId } from '@natter/protocol';
import type { Actor } from './actor.js';
import * as administration from './queries/administration.js';
import { audit } from './queries/audit.js';
import type { QueryContext } from './queries/context.js';
import * as messages from './queries/messages.js';
import * as records from './queries/records.js';
import * as rooms from './queries/rooms.js';
import * as usergroups from './queries/usergroups.js';
import * as users from './queries/users.js';
import { SharedReads } from './shared-reads.js';

export type { QueryContext } from './queries/context.js';
export type { Line, Person, Place, PlaceMember } from './queries/records.js';

export function makeQueries(context: QueryContext & { figures: administration.FigureSource }) {
  const roomRows = new SharedReads((users: readonly UserId[]) => rooms.roomRowsOf(context, users));
  return {
    /** For whoever has authorised the user already: the gateway's greeting. */
    roomRows: async (user: UserId) => (await roomRows.get(user)) ?? [],
    /** Likewise, for the hub: the user's part of one room and the head for which it is so; null: not a member. */
    standing: (user: UserId, room: RoomId) => rooms.standing(context, user, room),
    myRooms: async (actor: Actor) => ({ ok: true as const, value: await rooms.myRooms(context, actor) }),
    room: (actor: Actor, room: RoomId) => rooms.room(context, actor, room),
    searchRooms: (actor: Actor, search: rooms.RoomSearch) => rooms.searchRooms(context, actor, search),
    roomMembers: (actor: Actor, input: Parameters<typeof rooms.roomMembers>[2]) =>
      rooms.roomMembers(context, actor, input),
    messagePage: (actor: Actor, range: messages.MessageRange) => messages.messagePage(context, actor, range),
    message: (actor: Actor, message: MessageId) => messages.message(context, actor, message),
    thread: (actor: Actor, input: Parameters<typeof messages.thread>[2]) => messages.thread(context, actor, input),
    versions: (actor: Actor, message: MessageId) => messages.versions(context, actor, message),
    pinned: (actor: Actor, room: RoomId) => messages.pinned(context, actor, room),
    readers: (actor: Actor, input: Parameters<typeof messages.readers>[2]) => messages.readers(context, actor, input),
    mentionsOfMe: (actor: Actor, input: Parameters<typeof messages.mentionsOfMe>[2]) =>
      messages.mentionsOfMe(context, actor, input),
    /** What a search found for this actor, as the wire shows it. */
    searchPage: (found: messages.Found) => messages.searchPage(context, found),
    user: (actor: Actor, user: UserId) => users.user(context, actor, user),
    account: (actor: Actor) => users.account(context, actor),
    searchUsers: (actor: Actor, search: users.UserSearch) => users.searchUsers(context, actor, search),
    sessions: (actor: Actor, of?: UserId) => users.sessions(context, actor, of),
    usergroup: (actor: Actor, id: UserGroupId) => usergroups.usergroup(context, actor, id),
    usergroups: (actor: Actor, input: Parameters<typeof usergroups.usergroups>[2]) =>
      usergroups.usergroups(context, actor, input),
    adminRooms: (actor: Actor, search: administration.AdminRoomSearch) =>
      administration.adminRooms(context, actor, search),
    figures: (actor: Actor, input: Parameters<typeof administration.figures>[2]) =>
      administration.figures(context, actor, input),
    audit: (actor: Actor, input: Parameters<typeof audit>[2]) => audit(context, actor, input),
    /** For the dialects, whose rows and pages are of other kinds. */
    records: {
      persons: (ids: Iterable<UserId>) => records.persons(context, ids),
      findPersons: (search: Parameters<typeof records.findPersons>[1]) => records.findPersons(context, search),
      personNamed: (name: string) => records.personNamed(context, name),
      place: (actor: Actor, room: RoomId) => records.place(context, actor, room),
      placeNamed: (actor: Actor, named: Parameters<typeof records.placeNamed>[2]) =>
        records.placeNamed(context, actor, named),
      places: (actor: Actor, search: records.PlaceSearch) => records.places(context, actor, search),
      placeMembers: (actor: Actor, room: RoomId) => records.placeMembers(context, actor, room),
      roomDialect: (room: RoomId) => records.roomDialect(context, room),
      line: (actor: Actor, message: MessageId) => records.line(context, actor, message),
      history: (actor: Actor, search: records.LineSearch) => records.history(context, actor, search),
      messageCount: (actor: Actor, room: RoomId) => records.messageCount(context, actor, room),
      readMarks: (actor: Actor, room: RoomId) => records.readMarks(context, actor, room),
      directRoom: (actor: Actor, user: UserId) => records.directRoom(context, actor, user),
      lastLines: (actor: Actor, rooms: readonly RoomId[]) => records.lastLines(context, actor, rooms),
      userNames: (ids: readonly UserId[]) => records.userNames(context, ids),
      roomNames: (ids: readonly RoomId[]) => records.roomNames(context, ids),
    },
  };
}

export type Queries = ReturnType<typeof makeQueries>;
