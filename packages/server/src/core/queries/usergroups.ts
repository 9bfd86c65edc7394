/** Reads of user groups: everybody who is logged in may see them, since everybody may call them. */
import type { UserGroup, UserGroupId, UserGroupPage } from '@natter/protocol';
import { sql } from 'kysely';
import type { Tables } from '../../store/tables.js';
import { type Actor, type Answer, refuse } from '../actor.js';
import { cut, iso, padded, pageSize, type QueryContext } from './context.js';
import { like } from './names.js';
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

export interface UserGroupSearch {
  /** Part of a name; absent: all. */
  q?: string | undefined;
  after?: UserGroupId | undefined;
  limit?: number | undefined;
}

/** User groups by id; with `q` those whose name holds it, best first. */
export async function usergroups(
  context: QueryContext,
  _actor: Actor,
  input: UserGroupSearch,
): Promise<Answer<UserGroupPage>> {
  const limit = pageSize(context, input.limit);
  const wanted = input.q?.trim().normalize('NFKC') ?? '';
  if (wanted !== '') return { ok: true, value: await shownPage(context, await find(context, wanted, limit), null) };
  const rows = await context.store.db
    .selectFrom('usergroups')
    .selectAll()
    .where('id', '>', input.after ?? 0)
    .orderBy('id')
    .limit(limit + 1)
    .execute();
  const page = cut(rows, limit, (row) => row.id);
  return { ok: true, value: await shownPage(context, page.rows, page.next) };
}

async function shownPage(
  context: QueryContext,
  rows: readonly Tables['usergroups'][],
  next: UserGroupId | null,
): Promise<UserGroupPage> {
  const shown = await withMembers(context, rows);
  const users = await namesOf(
    context,
    shown.flatMap((group) => group.members),
  );
  return { usergroups: shown, users, next };
}

/** By the forms under which their names are taken, as a text finds those it calls. */
async function find({ store, names }: QueryContext, wanted: string, limit: number): Promise<Tables['usergroups'][]> {
  const folded = names.key(wanted);
  const rank = sql<number>`min(case when value = ${folded} then 0 when value like ${like(folded, 'end')} then 1 else 2 end)`;
  return store.db
    .selectFrom('usergroups')
    .innerJoin(
      (among) =>
        among
          .selectFrom('claims')
          .select(['owner', rank.as('rank')])
          .where('space', '=', 'usergroup.name')
          .where('value', 'like', like(folded))
          .groupBy('owner')
          .as('found'),
      (join) => join.onRef('found.owner', '=', 'usergroups.id'),
    )
    .selectAll('usergroups')
    .orderBy('found.rank')
    .orderBy('usergroups.name')
    .orderBy('usergroups.id')
    .limit(limit)
    .execute();
}
