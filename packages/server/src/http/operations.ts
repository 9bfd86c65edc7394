/** Routes for those who run the server: is it alive, is it ready, how does it do. */
import { Type } from 'typebox';
import { grants } from './access.js';
import type { App, HttpOptions } from './edge.js';
import { refuseWith } from './problems.js';

const HealthState = Type.Object(
  {
    live: Type.Boolean(),
    ready: Type.Boolean(),
    checks: Type.Record(Type.String(), Type.String()),
    versions: Type.Record(Type.String(), Type.String()),
  },
  { title: 'HealthState' },
);

export function operationRoutes(app: App, { health, versions, metrics, config, guests }: HttpOptions): void {
  const mayReadMetrics = grants(config.metricsAccess);

  app.get(
    '/health',
    {
      schema: {
        tags: ['server'],
        summary: 'Is it well?',
        description: 'With each part that was asked. 503 when it is not ready for work.',
        security: [],
        response: { 200: { ...HealthState, description: 'Ready' }, 503: { ...HealthState, description: 'Not ready' } },
      },
    },
    async (_request, reply) => {
      const { ready, checks } = await health();
      const more = ready ? guests?.shared?.health : guests?.shared?.unhealthy;
      return reply.code(ready ? 200 : 503).send({ live: true, ready, checks, versions, ...more });
    },
  );

  app.get(
    '/health/live',
    {
      schema: {
        tags: ['server'],
        summary: 'Does it answer?',
        description: 'For a probe that starts a process anew when this fails.',
        security: [],
        response: { 200: Type.Object({ live: Type.Literal(true) }, { description: 'It does' }) },
      },
    },
    () => ({ live: true as const }),
  );

  app.get(
    '/health/ready',
    {
      schema: {
        tags: ['server'],
        summary: 'Can it work?',
        description: 'For a probe that sends requests elsewhere when this fails.',
        security: [],
        response: {
          200: Type.Object({ ready: Type.Boolean() }, { description: 'It can' }),
          503: Type.Object({ ready: Type.Boolean() }, { description: 'It can’t' }),
        },
      },
    },
    async (_request, reply) => {
      const { ready } = await health();
      return reply.code(ready ? 200 : 503).send({ ready });
    },
  );

  app.get('/metrics', { schema: { hide: true } }, async (request, reply) => {
    if (!mayReadMetrics(request)) {
      return refuseWith(reply, {
        ok: false,
        code: 'forbidden',
        detail: 'the setting METRICS_ACCESS says who may read this',
      });
    }
    return reply.type(metrics.registry.contentType).send(await metrics.page());
  });
}
