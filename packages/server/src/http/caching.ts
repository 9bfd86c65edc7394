/** ETags: a page that has not changed is not sent again. And what private answers say to caches. */
import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** Weak: the same for whoever asks, whichever way it is written. */
function etagOf(payload: string): string {
  return `W/"${createHash('sha1').update(payload).digest('base64url')}"`;
}

function names(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  const bare = etag.slice(2);
  return header.split(',').some((one) => {
    const tag = one.trim();
    return tag === '*' || tag === bare || tag === etag;
  });
}

/** Runs once the answer is written out, before it is sent. */
export async function revalidate(request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> {
  if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
  const read = request.method === 'GET' || request.method === 'HEAD';
  if (!request.routeOptions.config.etag || !read || reply.statusCode !== 200 || typeof payload !== 'string') {
    return payload;
  }
  const etag = etagOf(payload);
  reply.headers({ etag, 'cache-control': 'private, no-cache', vary: varyWith(reply, 'authorization') });
  if (!names(request.headers['if-none-match'], etag)) return payload;
  reply.code(304).removeHeader('content-type').removeHeader('content-length');
  return '';
}

function varyWith(reply: FastifyReply, name: string): string {
  const known = reply.getHeader('vary');
  return known === undefined ? name : `${String(known)}, ${name}`;
}
