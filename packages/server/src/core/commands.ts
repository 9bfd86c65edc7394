/** The table of commands: for each, what is loaded and which rule decides. */
import type { Command, CommandOf, CommandType } from '@natter/protocol';
import type { Limits } from '../limits.js';
import { type Decision, refused } from '../rooms/decision.js';
import * as members from '../rooms/members.js';
import type { Called } from '../rooms/mentions.js';
import type { MessageState } from '../rooms/messages.js';
import * as messages from '../rooms/messages.js';
import * as pins from '../rooms/pins.js';
import * as reactions from '../rooms/reactions.js';
import * as reads from '../rooms/reads.js';
import * as rooms from '../rooms/rooms.js';
import type { RoomState } from '../rooms/state.js';
import * as usergroups from '../rooms/usergroups.js';
import * as users from '../rooms/users.js';
import type { Actor } from './actor.js';
import type { Loader } from './loader.js';
import type { NameRules } from './ports.js';

/** What stands beside a command: settings, and what only an edge inside the server may give. */
export interface CommandContext {
  limits: Limits;
  names: NameRules;
  /** The API that the command came through; '' is the native one. */
  dialect: string;
  /** What a dialect keeps with a message beside its text. */
  extra?: Record<string, unknown>;
  /** An API that takes any text as an address. */
  anyEmail?: boolean;
  /** An API in which one can leave a direct room: the pair then gets another one. */
  mayLeaveDirect?: boolean;
}

type Handler<T extends CommandType> = (
  load: Loader,
  actor: Actor,
  command: CommandOf<T>,
  context: CommandContext,
) => Decision | Promise<Decision>;

const HANDLERS: { [T in CommandType]: Handler<T> } = {
  'message.send': (load, actor, command, { limits, extra }) => {
    const decide = (room: RoomState | null, target: MessageState | null, called: Called): Decision =>
      messages.send(room, actor.user, command, extra ? { target, called, extra } : { target, called }, limits);
    // Nearly always all of it is at hand: no promise is made then.
    const room = load.room(command.room);
    if (room instanceof Promise || command.replyTo !== undefined) {
      return (async () => {
        const state = await room;
        const target = command.replyTo === undefined ? null : await load.message(command.replyTo);
        return decide(state, target, await load.called(command.text));
      })();
    }
    const called = load.called(command.text);
    return called instanceof Promise ? called.then((found) => decide(room, null, found)) : decide(room, null, called);
  },
  'message.edit': async (load, actor, command, { limits }) => {
    const { room, message } = await load.messageInRoom(command.message);
    return messages.edit(room, actor.user, command, { message, called: await load.called(command.text) }, limits);
  },
  'message.delete': async (load, actor, command) => {
    const { room, message } = await load.messageInRoom(command.message);
    return messages.remove(room, actor.user, message);
  },
  'reaction.add': async (load, actor, command, { limits }) => {
    const { room, message } = await load.messageInRoom(command.message);
    const known = { message, reactions: await load.reactions(command.message) };
    return reactions.add(room, actor.user, command.emoji, known, limits);
  },
  'reaction.remove': async (load, actor, command) => {
    const { room, message } = await load.messageInRoom(command.message);
    const known = { message, reactions: await load.reactions(command.message) };
    return reactions.remove(room, actor.user, command.emoji, known);
  },
  'pin.add': async (load, actor, command, { limits }) => {
    const { room, message } = await load.messageInRoom(command.message);
    const known = message && room ? await load.pins(room.id, message.id) : { pinned: false, pins: 0 };
    return pins.add(room, actor.user, { message, ...known }, limits);
  },
  'pin.remove': async (load, actor, command) => {
    const { room, message } = await load.messageInRoom(command.message);
    const known = message && room ? await load.pins(room.id, message.id) : { pinned: false, pins: 0 };
    return pins.remove(room, actor.user, { message, ...known });
  },
  'read.move': async (load, actor, command) => {
    const room = await load.room(command.room);
    const marker = await load.marker(command.room, actor.user);
    return reads.move(room, actor.user, command.seq, marker, await load.head(command.room));
  },
  'read.unmark': async (load, actor, command) => {
    const room = await load.room(command.room);
    const marker = await load.marker(command.room, actor.user);
    return reads.unmark(room, actor.user, command.seq, marker, await load.head(command.room));
  },
  'room.create': async (load, actor, command, { limits, dialect }) => {
    const wanted = [actor.user, ...(command.members ?? []), ...(await load.members(command.usergroups ?? []))];
    const found = await load.users(wanted);
    if (found.length !== new Set(wanted).size) return refused('not_found', 'one of the users does not exist');
    return rooms.create(actor.user, command, { room: await load.newStream(), users: found, dialect }, limits);
  },
  'room.open': async (load, actor, command, { limits, dialect }) => {
    const users = await load.users([actor.user, command.user]);
    const existing = await load.directRoom(actor.user, command.user);
    const room = existing ?? (await load.newStream());
    return rooms.open(actor.user, command.user, { users, existing, room, dialect }, limits);
  },
  'room.change': async (load, actor, command, { limits }) =>
    rooms.change(await load.room(command.room), actor.user, command, limits),
  'room.archive': async (load, actor, command) => rooms.archive(await load.room(command.room), actor.user, true),
  'room.unarchive': async (load, actor, command) => rooms.archive(await load.room(command.room), actor.user, false),
  'room.delete': async (load, actor, command) => rooms.remove(await load.room(command.room), actor.user),
  'member.join': async (load, actor, command, { limits }) => {
    const room = await load.room(command.room);
    const [user] = await load.users([actor.user]);
    return members.join(room, user ?? null, actor.role === 'admin', limits);
  },
  'member.leave': async (load, actor, command, { mayLeaveDirect = false }) =>
    members.leave(await load.room(command.room), actor.user, mayLeaveDirect),
  'member.add': async (load, actor, command, { limits }) => {
    const room = await load.room(command.room);
    const wanted = [...(command.users ?? []), ...(await load.members(command.usergroups ?? []))];
    const found = await load.users(wanted);
    if (found.length !== new Set(wanted).size) return refused('not_found', 'one of the users does not exist');
    return members.add(room, actor.user, found, limits);
  },
  'member.remove': async (load, actor, command) =>
    members.remove(await load.room(command.room), actor.user, command.user),
  'member.change': async (load, actor, command) =>
    members.changeRole(await load.room(command.room), actor.user, command),
  'user.change': async (load, actor, command, { limits, names, anyEmail }) => {
    const account = await load.account(actor.user);
    const key = (address: string | null | undefined) => (address ? names.emailKey(address) : null);
    const problem = command.email && !anyEmail ? names.emailProblem(command.email) : null;
    return users.change(account, command, { key: key(command.email), formerKey: key(account?.email), problem }, limits);
  },
  'user.deactivate': async (load, actor, command) =>
    users.deactivate(await load.asker(actor), await load.account(command.user), await load.isLastAdmin(command.user)),
  'user.reactivate': async (load, actor, command) =>
    users.reactivate(await load.asker(actor), await load.account(command.user)),
  'user.delete': async (load, actor, command) =>
    users.remove(await load.asker(actor), await load.account(command.user), await load.isLastAdmin(command.user)),
  'user.set_role': async (load, actor, command) =>
    users.setRole(
      await load.asker(actor),
      await load.account(command.user),
      command.role,
      await load.isLastAdmin(command.user),
    ),
  'user.verify': async (load, actor, command) =>
    users.verify(await load.asker(actor), await load.account(command.user), command.verified),
  'session.end': async (load, actor, command) => {
    const owner = await load.sessionOwner(command.session);
    return owner === null ? refused('not_found') : users.endSessions(await load.asker(actor), owner, [command.session]);
  },
  'session.end_all': async (load, actor, command) => {
    const user = command.user ?? actor.user;
    const kept = command.keepCurrent && user === actor.user ? actor.session : null;
    return users.endSessions(
      actor,
      user,
      (await load.sessions(user)).filter((session) => session !== kept),
    );
  },
  'usergroup.create': async (load, _actor, command, { limits, names }) => {
    const wanted = command.members ?? [];
    const found = await load.users(wanted);
    if (found.length !== wanted.length) return refused('not_found', 'one of the users does not exist');
    const name = { keys: names.keys(command.name), problem: names.problem(command.name, limits.NAME_MAX) };
    return usergroups.create(command, { usergroup: await load.newStream(), name, users: found }, limits);
  },
  'usergroup.change': async (load, actor, command, { limits, names }) => {
    const group = await load.usergroup(command.usergroup);
    const name =
      command.name === undefined
        ? null
        : { keys: names.keys(command.name), problem: names.problem(command.name, limits.NAME_MAX) };
    return usergroups.change(await load.asker(actor), group, command, name, limits);
  },
  'usergroup.add_members': async (load, actor, command, { limits }) => {
    const group = await load.usergroup(command.usergroup);
    const found = await load.users(command.users);
    if (found.length !== command.users.length) return refused('not_found', 'one of the users does not exist');
    return usergroups.addMembers(await load.asker(actor), group, found, limits);
  },
  'usergroup.remove_members': async (load, actor, command) =>
    usergroups.removeMembers(await load.asker(actor), await load.usergroup(command.usergroup), command.users),
  'usergroup.delete': async (load, actor, command) =>
    usergroups.remove(await load.asker(actor), await load.usergroup(command.usergroup)),
};

export function decide(
  load: Loader,
  actor: Actor,
  command: Command,
  context: CommandContext,
): Decision | Promise<Decision> {
  // The table has one handler for each type; TypeScript can't follow that `type` picks both at once.
  const handler = HANDLERS[command.type] as Handler<CommandType>;
  return handler(load, actor, command, context);
}
