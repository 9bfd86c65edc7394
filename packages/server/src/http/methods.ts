/** Paths that exist, asked with a method that they do not take. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App } from './edge.js';
import { refuseWith } from './problems.js';

interface Pattern {
  parts: string[];
  methods: Set<string>;
}

const isParameter = (part: string): boolean => part.startsWith(':');

function matches({ parts }: Pattern, asked: readonly string[]): boolean {
  if (parts.at(-1) === '*') return false;
  return (
    parts.length === asked.length &&
    parts.every((part, at) => (isParameter(part) ? asked[at] !== '' : part === asked[at]))
  );
}

/** What is not found is answered so; a known path with another method says which ones it takes. */
export function answerUnknown(app: App): void {
  const patterns = new Map<string, Pattern>();
  app.addHook('onRoute', ({ url, method }) => {
    const pattern = patterns.get(url) ?? { parts: url.split('/'), methods: new Set<string>() };
    patterns.set(url, pattern);
    for (const one of [method].flat()) pattern.methods.add(one);
  });

  function allowed(request: FastifyRequest): string[] {
    const asked = (request.raw.url ?? '').split('?', 1)[0]?.split('/') ?? [];
    const found = [...patterns.values()].filter((pattern) => matches(pattern, asked));
    return [...new Set(found.flatMap((pattern) => [...pattern.methods]))].sort();
  }

  app.setNotFoundHandler((request, reply): FastifyReply => {
    const methods = allowed(request);
    if (methods.length === 0) return refuseWith(reply, { ok: false, code: 'not_found' });
    reply.header('allow', [...methods, 'OPTIONS'].join(', '));
    if (request.method === 'OPTIONS') return reply.code(204).send();
    return refuseWith(reply, { ok: false, code: 'method_not_allowed' });
  });
}
