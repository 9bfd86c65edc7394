/** Reads of user groups: everybody who is logged in may see them, since everybody may call them. */
import type { UserGroup, UserGroupId, UserGroupPage } from '@natter/protocol';
import type { Tables } from '../../store/tables.js';
import { type Actor, type Answer, refuse } from '../actor.js';
import { cut, iso, padded, pageSize, type QueryContext } from './context.js';
import { namesOf } from './users.js';

async function withMembers({ store }: QueryContext, rows: readonly Tables['usergroups'][]): Promise<UserGroup[]> {
  if (rows.length === 0) return [];
  const members = await store.db
    .selectFrom('usergroup_members')
    .selectAll()
    .where('usergroup', 'in', padded(rows.map((row) => row.id)))
    .orderBy('user_id')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    description: row.description,
    createdBy: row.created_by,
    createdAt: iso(row.created_at),
    members: members.filter((member) => member.usergroup === row.id).map((member) => member.user_id),
  }));
}

export async function usergroup(context: QueryContext, _actor: Actor, id: UserGroupId): Promise<Answer<UserGroup>> {
  const row = await context.store.db.selectFrom('usergroups').selectAll().where('id', '=', id).executeTakeFirst();
  const [value] = row ? await withMembers(context, [row]) : [];
  return value ? { ok: true, value } : refuse('not_found');
}

export async function usergroups(
  context: QueryContext,
  _actor: Actor,
  input: { after?: UserGroupId | undefined; limit?: number | undefined },
): Promise<Answer<UserGroupPage>> {
  const limit = pageSize(context, input.limit);
  const rows = await context.store.db
    .selectFrom('usergroups')
    .selectAll()
    .where('id', '>', input.after ?? 0)
    .orderBy('id')
    .limit(limit + 1)
    .execute();
  const page = cut(rows, limit, (row) => row.id);
  const shown = await withMembers(context, page.rows);
  const users = await namesOf(
    context,
    shown.flatMap((group) => group.members),
  );
  return { ok: true, value: { usergroups: shown, users, next: page.next } };
}
