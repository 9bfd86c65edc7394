/** The first schema. Words in braces stand for what the two databases spell differently. */
export const sql = `
create table meta (key {text} primary key, value {text} not null);
create table streams (
  id {pk}, kind {text} not null, head {int} not null, version {int} not null, messages {int} not null
);
create table events (
  id {pk}, stream {int} not null, seq {int} not null, type {text} not null, actor {int} not null, at {int} not null, body {text} not null
);
create unique index events_stream_seq on events (stream, seq);
create table keys (
  author {int} not null, key {text} not null, hash {text} not null, event {int} not null, primary key (author, key)
) {clustered};
create table claims (
  space {text} not null, value {text} not null, owner {int} not null, primary key (space, value)
) {clustered};
create index claims_owner on claims (owner);
create table users (
  id {pk}, name {text} not null, name_key {text} not null, email {text}, full_name {text} not null, about {text} not null, role {text} not null,
  status {text} not null, verified {int} not null, placeholder {int} not null, created_at {int} not null, last_seen_at {int}
);
create index users_name_key on users (name_key);
create table credentials (user_id {pk}, password_hash {text} not null, changed_at {int} not null);
create table sessions (
  id {text} primary key, user_id {int} not null, refresh_hash {text} not null, agent {text} not null, address {text} not null, dialect {text} not null,
  created_at {int} not null, last_used_at {int} not null, expires_at {int} not null
) {clustered};
create index sessions_user on sessions (user_id);
create index sessions_expires on sessions (expires_at);
create table rooms (
  id {pk}, kind {text} not null, name {text} not null, topic {text} not null, visibility {text} not null, history {text} not null,
  dialect {text} not null, created_by {int} not null, created_at {int} not null, archived_at {int}, deleted_at {int}, member_count {int} not null
);
create index rooms_listed on rooms (dialect, name) where visibility = 'public' and deleted_at is null;
create table members (
  room {int} not null, user_id {int} not null, role {text} not null, joined_at {int} not null, joined_seq {int} not null, from_seq {int} not null,
  read_seq {int} not null, read_num {int} not null, unread_from {int}, unread_num {int}, primary key (room, user_id)
) {clustered};
create index members_user on members (user_id, room);
create table messages (
  id {pk}, room {int} not null, seq {int} not null, num {int} not null, author {int} not null, text {text} not null, reply_to {int}, thread {int},
  mentions {text}, extra {text}, at {int} not null, edited_at {int}, deleted_at {int}, deleted_by {int}, reply_count {int} not null,
  version {int} not null
);
create unique index messages_room_seq on messages (room, seq);
create index messages_thread on messages (thread, seq) where thread is not null;
create index messages_deleted on messages (room, num) where deleted_at is not null;
create table message_edits (
  message {int} not null, seq {int} not null, text {text} not null, at {int} not null, by_id {int} not null, primary key (message, seq)
) {clustered};
create table reactions (
  message {int} not null, emoji {text} not null, user_id {int} not null, at {int} not null, primary key (message, emoji, user_id)
) {clustered};
create table pins (
  room {int} not null, message {int} not null, by_id {int} not null, at {int} not null, primary key (room, message)
) {clustered};
create table mentions (
  user_id {int} not null, room {int} not null, seq {int} not null, message {int} not null, primary key (user_id, room, seq)
) {clustered};
create index mentions_message on mentions (message);
create table usergroups (
  id {pk}, name {text} not null, description {text} not null, created_by {int} not null, created_at {int} not null
);
create table usergroup_members (
  usergroup {int} not null, user_id {int} not null, primary key (usergroup, user_id)
) {clustered};
create index usergroup_members_user on usergroup_members (user_id);
create table audit (
  event {pk}, stream {int} not null, seq {int} not null, at {int} not null, actor {int} not null, action {text} not null, body {text} not null
);
create index audit_stream on audit (stream, event);
create table jobs (
  id {autoid}, kind {text} not null, subject {int} not null, run_at {int} not null, attempts {int} not null
);
`;

/**
 * What only PostgreSQL has: sequences, where one process can't count for all; room on the pages of rows that every message
 * changes; and the search index, which follows the log (see search/postgres-index.ts).
 */
export const postgres = `
create sequence event_ids;
create sequence stream_ids;
alter table streams set (fillfactor = 50);
alter table members set (fillfactor = 70);

create table search_meta (key {text} primary key, value bigint not null);
create table search_messages (message bigint primary key, words tsvector not null);
create index search_messages_words on search_messages using gin (words) with (gin_pending_list_limit = 1024);
alter table search_messages alter column words set statistics 500;
create table search_words (id bigint generated by default as identity primary key, word {text} not null unique);
create table search_months (month bigint primary key);
create table search_gaps (first bigint primary key, last bigint not null, next_xid bigint not null);
create table search_forgotten (word {text} primary key);
create table search_forgotten_rooms (room bigint primary key);
`;
