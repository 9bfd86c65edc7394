import { createHmac, generateKeyPairSync, hkdfSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Tokens } from '@natter/server/auth/tokens';
import * as fc from 'fast-check';
import { base64url, jwtVerify, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSite, type Person, type Site } from '../http/site.js';

let site: Site;
let ada: Person;
/** The key that signs access tokens, which no attacker has: to forge tokens that differ in one thing alone. */
let key: Uint8Array;

beforeAll(async () => {
  site = await openSite();
  ada = await site.join('ada');
  key = new Uint8Array(hkdfSync('sha256', site.config.secretKey, '', 'natter access tokens', 32));
});
afterAll(() => site.close());

const asks = async (token: string): Promise<[number, string | undefined]> => {
  const { status, body } = await site.ask('GET', '/v1/me', { token });
  return [status, body.code];
};
const REFUSED = [401, 'unauthenticated'];

const json = (value: unknown): string => base64url.encode(JSON.stringify(value));
const payloadOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

async function forge(change: Record<string, unknown> = {}, header: Record<string, unknown> = {}): Promise<string> {
  const claims = { ...payloadOf(ada.token), ...change };
  for (const [name, value] of Object.entries(claims)) if (value === undefined) delete claims[name];
  return new SignJWT(claims).setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', ...header }).sign(key);
}

describe('access tokens', () => {
  it('are believed as they were made, and the forger of this test can make such', async () => {
    expect((await asks(ada.token))[0]).toBe(200);
    expect((await asks(await forge()))[0]).toBe(200);
  });

  it('are JWTs to whoever else reads them', async () => {
    const { payload, protectedHeader } = await jwtVerify(ada.token, key, { issuer: 'natter', audience: 'natter' });
    expect(protectedHeader).toEqual({ alg: 'HS256', typ: 'at+jwt' });
    expect(payload).toMatchObject({ sub: String(ada.id), sid: ada.session, api: '' });
  });

  it.each(['', '.', '..', '...', 'a.b', '.b.c', '\0', '\ud800.\ud800.\ud800'])(
    'of the form %j are none',
    async (text) => {
      const tokens = new Tokens({ secretKey: 's'.repeat(40), accessSeconds: 60 });
      expect(await tokens.readAccess(text, Date.now())).toBeNull();
    },
  );

  it('say no role that counts', async () => {
    const bob = await site.join('bob');
    const claims = payloadOf(bob.token);
    expect(claims).not.toHaveProperty('role');
    const token = await new SignJWT({ ...claims, role: 'admin' })
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt' })
      .sign(key);
    expect((await site.ask('GET', '/v1/audit', { token })).status).toBe(403);
  });

  it.each<[string, (token: string) => string | Promise<string>]>([
    ['without a signature', (token) => `${token.split('.').slice(0, 2).join('.')}.`],
    ['of the algorithm none', (token) => `${json({ alg: 'none', typ: 'at+jwt' })}.${token.split('.')[1]}.`],
    ['of the algorithm nOnE', (token) => `${json({ alg: 'nOnE' })}.${token.split('.')[1]}.`],
    ['with another payload', (token) => token.replace(/\.[^.]*\./, `.${json({ ...payloadOf(token), sub: '2' })}.`)],
    [
      'signed with an empty key',
      (token) => {
        const head = `${json({ alg: 'HS256', typ: 'at+jwt' })}.${token.split('.')[1]}`;
        return `${head}.${createHmac('sha256', '').update(head).digest('base64url')}`;
      },
    ],
    [
      'signed with the secret key itself',
      (token) => {
        const head = token.split('.').slice(0, 2).join('.');
        return `${head}.${createHmac('sha256', site.config.secretKey).update(head).digest('base64url')}`;
      },
    ],
    ['with half of a signature', (token) => token.slice(0, -20)],
    ['with a critical header that nobody knows', () => forge({}, { crit: ['x'], x: 1 }).catch(() => 'x')],
    ['of another type', () => forge({}, { typ: 'JWT' })],
    ['of no type', () => forge({}, { typ: undefined })],
    ['of another issuer', () => forge({ iss: 'somebody' })],
    ['of no issuer', () => forge({ iss: undefined })],
    ['for another audience', () => forge({ aud: 'somebody' })],
    ['that expired', () => forge({ exp: Math.floor(Date.now() / 1_000) - 1 })],
    ['that never expires', () => forge({ exp: undefined })],
    ['that expires in words', () => forge({ exp: 'never' })],
    ['that is not valid yet', () => forge({ nbf: Math.floor(Date.now() / 1_000) + 60 })],
    ['of nobody', () => forge({ sub: undefined })],
    ['of somebody else with this session', () => forge({ sub: '999' })],
    ['of a user who is no number', () => forge({ sub: '1 or 1=1' })],
    ['of a user beyond numbers', () => forge({ sub: '9007199254740993' })],
    ['of no session', () => forge({ sid: undefined })],
    ['of a session that never was', () => forge({ sid: 'A'.repeat(22) })],
    ['of a session that is no text', () => forge({ sid: { $ne: null } })],
    ['of another API', () => forge({ api: 'slack' })],
    ['of no API', () => forge({ api: undefined })],
    ['that is a refresh token', () => ada.refreshToken],
    ['that is no token', () => 'x.y.z'],
    ['that is too long', (token) => token + 'A'.repeat(5_000)],
  ])('%s are refused', async (_what, make) => {
    expect(await asks(await make(ada.token))).toEqual(REFUSED);
  });

  it.each(['RS256', 'ES256'])('signed by %s with a key that the token brings along are refused', async (alg) => {
    const { privateKey, publicKey } =
      alg === 'RS256'
        ? generateKeyPairSync('rsa', { modulusLength: 2_048 })
        : generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwk = publicKey.export({ format: 'jwk' });
    const token = await new SignJWT(payloadOf(ada.token))
      .setProtectedHeader({ alg, typ: 'at+jwt', jwk: jwk as never, kid: '1' })
      .sign(privateKey);
    expect(await asks(token)).toEqual(REFUSED);
    // The public key as if it were the secret of HS256.
    const pem = publicKey.export({ format: 'pem', type: 'spki' }) as string;
    const confused = await new SignJWT(payloadOf(ada.token))
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', jwk: jwk as never })
      .sign(new TextEncoder().encode(pem));
    expect(await asks(confused)).toEqual(REFUSED);
  });

  it('that name a place for keys make the server call nobody', async () => {
    let called = 0;
    const server = createServer((_request, response) => {
      called += 1;
      response.end('{"keys":[]}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const place = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
    for (const header of [{ jku: place }, { x5u: place }, { kid: place }, { kid: '../../../dev/null' }]) {
      const token = await new SignJWT(payloadOf(ada.token))
        .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', ...header })
        .sign(new Uint8Array(32));
      expect(await asks(token)).toEqual(REFUSED);
    }
    server.close();
    expect(called).toBe(0);
  });

  it('of which one letter was changed are refused', async () => {
    const tokens = new Tokens({ secretKey: 's'.repeat(40), accessSeconds: 60 });
    const now = Date.now();
    const claims = { user: 3, session: tokens.newSession(), dialect: '' };
    const token = await tokens.access(claims, now);
    expect(await tokens.readAccess(token, now)).toEqual(claims);
    await fc.assert(
      fc.asyncProperty(fc.nat(token.length - 2), fc.constantFrom(...'AZaz09_-.=%'), async (at, letter) => {
        const changed = token.slice(0, at) + letter + token.slice(at + 1);
        if (changed !== token) expect(await tokens.readAccess(changed, now)).toBeNull();
      }),
    );
    expect(await tokens.readAccess(token, now + 61_000)).toBeNull();
    const others = new Tokens({ secretKey: 't'.repeat(40), accessSeconds: 60 });
    expect(await others.readAccess(token, now)).toBeNull();
  });
});

describe('refresh tokens', () => {
  it('that we did not make are told from those that we made, and end nothing', async () => {
    const tokens = new Tokens({ secretKey: 's'.repeat(40), accessSeconds: 60 });
    const session = tokens.newSession();
    const token = tokens.refresh({ session, generation: 7 });
    expect(tokens.readRefresh(token)).toEqual({ session, generation: 7 });
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.constantFrom(...'AZaz09_-.'), (at, letter) => {
        const changed = token.slice(0, at) + letter + token.slice(at + 1);
        if (changed !== token) expect(tokens.readRefresh(changed)).toBeNull();
      }),
    );
    for (const one of [
      '',
      '.',
      '...',
      token.slice(0, -1),
      `${token}A`,
      ` ${token}`,
      `${token}=`,
      token.toUpperCase(),
    ]) {
      expect(tokens.readRefresh(one)).toBeNull();
    }
  });

  it('are kept as hashes alone', async () => {
    const { db } = site.app.parts.store;
    const { refresh_hash } = await db
      .selectFrom('sessions')
      .select('refresh_hash')
      .where('id', '=', ada.session)
      .executeTakeFirstOrThrow();
    expect(refresh_hash).not.toContain(ada.refreshToken.split('.')[2]);
    const events = await db.selectFrom('events').select('body').where('stream', '=', ada.id).execute();
    expect(JSON.stringify(events)).not.toContain(ada.refreshToken.split('.')[2]);
    expect(JSON.stringify(events)).not.toContain('$argon2id$');
  });
});
