/** The route of those who follow rooms straight off NATS: bots and back ends. */
import { NatsCredentials } from '@natter/protocol';
import { Type } from 'typebox';
import { refuse } from '../../core/actor.js';
import type { App, HttpOptions } from '../edge.js';
import { refuseWith } from '../problems.js';
import { actorOf, answer } from '../replies.js';
import { answers, exactly, said, shown } from '../schemas.js';

const UNSET = 'this server gives out no credentials for NATS: NATS_SIGNING_SEED_FILE is not set (docs/nats.md)';

export function followerRoutes(app: App, { followers }: HttpOptions): void {
  app.post(
    '/nats/credentials',
    {
      schema: {
        tags: ['nats'],
        summary: 'Get credentials for NATS',
        description:
          'For a bot or a back end that follows my rooms straight off NATS. They are good for NATS_CREDENTIALS_SECONDS, for subjects of their own, and for as long as the session of this request: before they end, ask for others. docs/nats.md tells what is said there.',
        body: shown(
          exactly({
            publicKey: Type.Optional(
              said(
                Type.String({ maxLength: 64 }),
                'Public nkey of a user, whose seed stays with the caller; left out, a pair is made and its seed is in the answer',
                'UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4',
              ),
            ),
          }),
          {},
        ),
        response: answers({ 201: NatsCredentials }, 'unauthenticated', 'invalid', 'limit_reached', 'not_configured'),
      },
    },
    async (request, reply) => {
      reply.header('cache-control', 'no-store');
      if (!followers) return refuseWith(reply, refuse('not_configured', UNSET));
      const opened = await followers.open(actorOf(request), request.body.publicKey);
      if (opened.ok) reply.code(201);
      return answer(reply, opened);
    },
  );
}
