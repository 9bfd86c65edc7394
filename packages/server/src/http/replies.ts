/** From answers of core, queries and auth to HTTP. */
import type { Command } from '@natter/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Origin } from '../auth/accounts.js';
import type { Actor, Answer, Reply } from '../core/actor.js';
import type { HttpOptions } from './edge.js';
import { refuseWith } from './problems.js';

/** Who asks, on a route that only those may who have said so. */
export function actorOf(request: FastifyRequest): Actor {
  if (!request.actor) throw new Error(`${request.routeOptions.url} asks nobody who they are`);
  return request.actor;
}

export function originOf(request: FastifyRequest): Origin {
  return { address: request.address, agent: request.headers['user-agent'] ?? '', dialect: '' };
}

/** What a query found, or why not. */
export function answer<T>(reply: FastifyReply, found: Answer<T>): FastifyReply {
  return found.ok ? reply.send(found.value) : refuseWith(reply, found);
}

/** Has the core carry out a command, under the key of the request. */
export function carryOut({ core }: HttpOptions, request: FastifyRequest, command: Command): Promise<Reply> {
  const key = request.headers['idempotency-key'];
  return core.execute(actorOf(request), command, key === undefined ? {} : { key: String(key) });
}

/** A command whose result says all: what was committed, and where. */
export async function answerCommand(
  options: HttpOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  command: Command,
): Promise<FastifyReply> {
  const done = await carryOut(options, request, command);
  if (!done.ok) return refuseWith(reply, done);
  return noteReplay(reply, done).send(done.result);
}

function noteReplay(reply: FastifyReply, done: Extract<Reply, { ok: true }>): FastifyReply {
  return done.result.replayed ? reply.header('idempotent-replayed', 'true') : reply;
}

/**
 * A command that makes or changes something, answered by it as it stands now. `read` may find nothing although the
 * command was carried out (removed from the room meanwhile): then it is done, and there is nothing to show.
 */
export async function answerResource<T>(
  reply: FastifyReply,
  done: Reply,
  read: (result: Extract<Reply, { ok: true }>['result']) => Promise<Answer<T>>,
  made?: (result: Extract<Reply, { ok: true }>['result']) => string,
): Promise<FastifyReply> {
  if (!done.ok) return refuseWith(reply, done);
  noteReplay(reply, done);
  if (made) {
    reply.header('location', made(done.result));
    if (!done.result.unchanged) reply.code(201);
  }
  const found = await read(done.result);
  return found.ok ? reply.send(found.value) : reply.code(204).send();
}
