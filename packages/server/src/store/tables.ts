/** The tables as queries see them. Times are integers: milliseconds since 1970. The migrations make them; see SPEC.md "Projections". */
import type { EventType, History, RoomKind, RoomRole, UserRole, Visibility } from '@natter/protocol';

export interface Tables {
  meta: { key: string; value: string };
  streams: {
    id: number;
    kind: 'room' | 'user' | 'usergroup';
    head: number;
    /** Rises with every event that changes what decisions are made on (members, settings, status). */
    version: number;
    /** How many messages were ever sent to it: the `num` of the newest. */
    messages: number;
  };
  events: { id: number; stream: number; seq: number; type: EventType; actor: number; at: number; body: string };
  keys: { author: number; key: string; hash: string; event: number };
  claims: { space: string; value: string; owner: number };
  users: {
    id: number;
    /** As it was registered; `name_key` is its folded form, by which it is unique. */
    name: string;
    name_key: string;
    email: string | null;
    full_name: string;
    about: string;
    role: UserRole;
    status: 'active' | 'deactivated' | 'deleted';
    verified: number;
    placeholder: number;
    created_at: number;
    last_seen_at: number | null;
  };
  credentials: { user_id: number; password_hash: string; changed_at: number };
  sessions: {
    id: string;
    user_id: number;
    refresh_hash: string;
    agent: string;
    address: string;
    dialect: string;
    created_at: number;
    last_used_at: number;
    expires_at: number;
  };
  rooms: {
    id: number;
    kind: RoomKind;
    name: string;
    topic: string;
    visibility: Visibility;
    history: History;
    /** '' is the native API. */
    dialect: string;
    created_by: number;
    created_at: number;
    archived_at: number | null;
    deleted_at: number | null;
    member_count: number;
  };
  members: {
    room: number;
    user_id: number;
    role: RoomRole;
    joined_at: number;
    joined_seq: number;
    /** First seq that this member may read. */
    from_seq: number;
    read_seq: number;
    /** `num` of the last message at or below `read_seq`. */
    read_num: number;
    unread_from: number | null;
    /** `num` of the last message below `unread_from`. */
    unread_num: number | null;
  };
  messages: {
    id: number;
    room: number;
    seq: number;
    /** Its place among the room's messages: 1, 2, 3, … */
    num: number;
    author: number;
    text: string;
    reply_to: number | null;
    thread: number | null;
    mentions: string | null;
    extra: string | null;
    at: number;
    edited_at: number | null;
    deleted_at: number | null;
    deleted_by: number | null;
    reply_count: number;
    /** Rises with every change; decisions on the message name it. */
    version: number;
  };
  /** Former texts, by the seq of the event that replaced them. */
  message_edits: { message: number; seq: number; text: string; at: number; by_id: number };
  reactions: { message: number; emoji: string; user_id: number; at: number };
  pins: { room: number; message: number; by_id: number; at: number };
  /** One row a person called; `user_id` 0 calls everybody in the room, and then stands alone. */
  mentions: { user_id: number; room: number; seq: number; message: number };
  usergroups: { id: number; name: string; description: string; created_by: number; created_at: number };
  usergroup_members: { usergroup: number; user_id: number };
  /** Events in which somebody used power over others. */
  audit: { event: number; stream: number; seq: number; at: number; actor: number; action: string; body: string };
  jobs: { id: number; kind: 'purge_room' | 'forget_user'; subject: number; run_at: number; attempts: number };
}
