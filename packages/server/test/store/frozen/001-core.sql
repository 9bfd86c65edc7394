-- A database of the first schema as it was released, with a little of everything in it. Never changes.
CREATE TABLE schema_migrations (name text primary key, applied_at integer not null);
CREATE TABLE meta (key text primary key, value text not null);
CREATE TABLE streams (
  id integer primary key, kind text not null, head integer not null, version integer not null, messages integer not null
);
CREATE TABLE events (
  id integer primary key, stream integer not null, seq integer not null, type text not null, actor integer not null, at integer not null, body text not null
);
CREATE TABLE keys (
  author integer not null, key text not null, hash text not null, event integer not null, primary key (author, key)
) without rowid;
CREATE TABLE claims (
  space text not null, value text not null, owner integer not null, primary key (space, value)
) without rowid;
CREATE TABLE users (
  id integer primary key, name text not null, name_key text not null, email text, full_name text not null, about text not null, role text not null,
  status text not null, verified integer not null, placeholder integer not null, created_at integer not null, last_seen_at integer
);
CREATE TABLE credentials (user_id integer primary key, password_hash text not null, changed_at integer not null);
CREATE TABLE sessions (
  id text primary key, user_id integer not null, refresh_hash text not null, agent text not null, address text not null, dialect text not null,
  created_at integer not null, last_used_at integer not null, expires_at integer not null
) without rowid;
CREATE TABLE rooms (
  id integer primary key, kind text not null, name text not null, topic text not null, visibility text not null, history text not null,
  dialect text not null, created_by integer not null, created_at integer not null, archived_at integer, deleted_at integer, member_count integer not null
);
CREATE TABLE members (
  room integer not null, user_id integer not null, role text not null, joined_at integer not null, joined_seq integer not null, from_seq integer not null,
  read_seq integer not null, read_num integer not null, unread_from integer, unread_num integer, primary key (room, user_id)
) without rowid;
CREATE TABLE messages (
  id integer primary key, room integer not null, seq integer not null, num integer not null, author integer not null, text text not null, reply_to integer, thread integer,
  mentions text, extra text, at integer not null, edited_at integer, deleted_at integer, deleted_by integer, reply_count integer not null,
  version integer not null
);
CREATE TABLE message_edits (
  message integer not null, seq integer not null, text text not null, at integer not null, by_id integer not null, primary key (message, seq)
) without rowid;
CREATE TABLE reactions (
  message integer not null, emoji text not null, user_id integer not null, at integer not null, primary key (message, emoji, user_id)
) without rowid;
CREATE TABLE pins (
  room integer not null, message integer not null, by_id integer not null, at integer not null, primary key (room, message)
) without rowid;
CREATE TABLE mentions (
  user_id integer not null, room integer not null, seq integer not null, message integer not null, primary key (user_id, room, seq)
) without rowid;
CREATE TABLE usergroups (
  id integer primary key, name text not null, description text not null, created_by integer not null, created_at integer not null
);
CREATE TABLE usergroup_members (
  usergroup integer not null, user_id integer not null, primary key (usergroup, user_id)
) without rowid;
CREATE TABLE audit (
  event integer primary key, stream integer not null, seq integer not null, at integer not null, actor integer not null, action text not null, body text not null
);
CREATE TABLE jobs (
  id integer primary key autoincrement, kind text not null, subject integer not null, run_at integer not null, attempts integer not null
);
CREATE UNIQUE INDEX events_stream_seq on events (stream, seq);
CREATE INDEX claims_owner on claims (owner);
CREATE INDEX users_name_key on users (name_key);
CREATE INDEX sessions_user on sessions (user_id);
CREATE INDEX sessions_expires on sessions (expires_at);
CREATE INDEX rooms_listed on rooms (dialect, name) where visibility = 'public' and deleted_at is null;
CREATE INDEX members_user on members (user_id, room);
CREATE UNIQUE INDEX messages_room_seq on messages (room, seq);
CREATE INDEX messages_thread on messages (thread, seq) where thread is not null;
CREATE INDEX messages_deleted on messages (room, num) where deleted_at is not null;
CREATE INDEX mentions_message on mentions (message);
CREATE INDEX usergroup_members_user on usergroup_members (user_id);
CREATE INDEX audit_stream on audit (stream, event);
insert into schema_migrations values ('001-core', 1700000000000);
insert into meta values ('epoch', '1700000000');
insert into streams values (1, 'user', 3, 1, 0);
insert into streams values (2, 'user', 3, 1, 0);
insert into streams values (3, 'room', 8, 1, 4);
insert into events values (1, 1, 1, 'user.created', 1, 1700000001000, '{"name":"ada","nameKey":"ada","email":"ada@example.com","fullName":"ADA","role":"admin"}');
insert into events values (2, 2, 1, 'user.created', 2, 1700000002000, '{"name":"ben","nameKey":"ben","email":"ben@example.com","fullName":"BEN","role":"user"}');
insert into events values (3, 3, 1, 'room.created', 1, 1700000003000, '{"kind":"channel","name":"general","topic":"all","visibility":"public","history":"shared","members":[{"user":1,"role":"owner"},{"user":2,"role":"member"}]}');
insert into events values (4, 1, 2, 'membership.added', 1, 1700000003000, '{"room":3}');
insert into events values (5, 2, 2, 'membership.added', 1, 1700000003000, '{"room":3}');
insert into events values (6, 3, 2, 'message.sent', 1, 1700000004000, '{"text":"hello"}');
insert into events values (7, 3, 3, 'message.sent', 2, 1700000005000, '{"text":"first","replyTo":6,"thread":6,"mentions":{"users":[1]}}');
insert into events values (8, 3, 4, 'message.sent', 2, 1700000006000, '{"text":"","redacted":true}');
insert into events values (9, 3, 5, 'message.edited', 2, 1700000007000, '{"message":7,"messageSeq":3,"text":"edited"}');
insert into events values (10, 3, 6, 'message.deleted', 2, 1700000008000, '{"message":8,"messageSeq":4}');
insert into events values (11, 3, 7, 'message.sent', 1, 1700000009000, '{"text":"grüße 👋"}');
insert into events values (12, 3, 8, 'reaction.added', 1, 1700000010000, '{"message":7,"messageSeq":3,"emoji":"👍"}');
insert into events values (13, 2, 3, 'read.moved', 2, 1700000011000, '{"room":3,"seq":8}');
insert into events values (14, 1, 3, 'session.started', 1, 1700000012000, '{"session":"s","agent":"a","expiresAt":"2033-01-01T00:00:00.000Z"}');
insert into keys values (1, 'frozen-1', 'frozen-hash', 6);
insert into claims values ('user.email', 'ada@example.com', 1);
insert into claims values ('user.name', 'ada', 1);
insert into claims values ('user.email', 'ben@example.com', 2);
insert into claims values ('user.name', 'ben', 2);
insert into claims values ('room.name:', 'general', 3);
insert into users values (1, 'ada', 'ada', 'ada@example.com', 'ADA', '', 'admin', 'active', 0, 0, 1700000001000, null);
insert into users values (2, 'ben', 'ben', 'ben@example.com', 'BEN', '', 'user', 'active', 0, 0, 1700000002000, null);
insert into credentials values (1, '$argon2id$frozen', 1700000001000);
insert into credentials values (2, '$argon2id$frozen', 1700000002000);
insert into sessions values ('s', 1, 'r', 'a', '127.0.0.1', '', 1700000012000, 1700000012000, 9000000000000);
insert into rooms values (3, 'channel', 'general', 'all', 'public', 'shared', '', 1, 1700000003000, null, null, 2);
insert into members values (3, 1, 'owner', 1700000003000, 1, 1, 7, 4, null, null);
insert into members values (3, 2, 'member', 1700000003000, 1, 1, 8, 4, null, null);
insert into messages values (6, 3, 2, 1, 1, 'hello', null, null, null, null, 1700000004000, null, null, null, 1, 0);
insert into messages values (7, 3, 3, 2, 2, 'edited', 6, 6, null, null, 1700000005000, 1700000007000, null, null, 0, 2);
insert into messages values (8, 3, 4, 3, 2, '', null, null, null, null, 1700000006000, null, 1700000008000, 2, 0, 1);
insert into messages values (11, 3, 7, 4, 1, 'grüße 👋', null, null, null, null, 1700000009000, null, null, null, 0, 0);
insert into message_edits values (7, 5, 'first', 1700000007000, 2);
insert into reactions values (7, '👍', 1, 1700000010000);
