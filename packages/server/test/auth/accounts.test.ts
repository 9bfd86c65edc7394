import { Passwords } from '@natter/server/auth/passwords';
import { describe, expect, it } from 'vitest';
import { openSite, PASSWORD, type Site } from '../http/site.js';

async function within(env: Record<string, string>, test: (site: Site) => Promise<void>): Promise<void> {
  const site = await openSite(env);
  try {
    await test(site);
  } finally {
    await site.close();
  }
}

const logIn = (site: Site, name: string, password = PASSWORD) =>
  site.ask('POST', '/v1/sessions', { body: { name, password } });
const refresh = (site: Site, refreshToken: string) =>
  site.ask('POST', '/v1/sessions/refresh', { body: { refreshToken } });
const lives = async (site: Site, token: string) => (await site.ask('GET', '/v1/me', { token })).status === 200;

describe('registering', () => {
  it('makes the first account the admin, whoever registers at the same moment', () =>
    within({}, async (site) => {
      const people = await Promise.all(Array.from({ length: 10 }, (_, index) => site.join(`user${index}`)));
      const users = (await site.ask('GET', '/v1/users', { token: people[0]?.token })).body.users;
      expect(users.filter((user: { role: string }) => user.role === 'admin')).toHaveLength(1);
    }));

  it('makes nobody the admin where that is set, nor later when it is unset', () =>
    within({ FIRST_USER_IS_ADMIN: 'false' }, async (site) => {
      const first = await site.join('first');
      expect((await site.ask('GET', '/v1/me', { token: first.token })).body.role).toBe('user');
      const claims = await site.app.parts.store.db
        .selectFrom('claims')
        .select('owner')
        .where('space', '=', 'server.first_user')
        .execute();
      expect(claims).toEqual([{ owner: first.id }]);
    }));

  it('lets one of 50 have a name, in whatever case and look', () =>
    within({}, async (site) => {
      const spellings = ['Olli', 'OLLI', 'olli', '0lli', 'oIli'];
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          site.ask('POST', '/v1/users', { body: { name: spellings[index % 5], password: PASSWORD } }),
        ),
      );
      const codes = answers.map(({ status, body }) => (status === 201 ? 'made' : body.code));
      expect(codes.filter((code) => code === 'made')).toHaveLength(1);
      expect(new Set(codes)).toEqual(new Set(['made', 'name_taken']));
      const mail = await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          site.ask('POST', '/v1/users', {
            body: { name: `mail${index}`, password: PASSWORD, email: index % 2 ? 'A@Example.org' : 'a@example.org' },
          }),
        ),
      );
      expect(mail.filter(({ status }) => status === 201)).toHaveLength(1);
      expect(mail.filter(({ body }) => body.code === 'email_taken')).toHaveLength(9);
    }));

  it('says all that is wrong at once, and never the password', () =>
    within({}, async (site) => {
      const { status, body } = await site.ask('POST', '/v1/users', {
        body: { name: 'a b', password: 'short', email: 'nobody', fullName: 'x\u202ey' },
      });
      expect(status).toBe(422);
      expect(body.fields.map((field: { path: string }) => field.path)).toEqual([
        '/name',
        '/email',
        '/fullName',
        '/password',
      ]);
      expect(JSON.stringify(body)).not.toContain('short');
      const long = await site.ask('POST', '/v1/users', { body: { name: 'ada', password: 'ä'.repeat(600) } });
      expect(long.body.fields).toEqual([{ path: '/password', message: 'must be at most 1024 bytes' }]);
    }));

  it('is refused where it is closed', () =>
    within({ REGISTRATION: 'closed' }, async (site) => {
      const { status, body } = await site.ask('POST', '/v1/users', { body: { name: 'ada', password: PASSWORD } });
      expect([status, body.code]).toEqual([403, 'registration_closed']);
      expect((await site.ask('GET', '/v1/server')).body.registration).toBe('closed');
    }));
});

describe('logging in', () => {
  it('takes the name in any case, or the e-mail address', () =>
    within({}, async (site) => {
      await site.ask('POST', '/v1/users', { body: { name: 'Ada', password: PASSWORD, email: 'Ada@Example.org' } });
      for (const name of ['Ada', 'ADA', 'ada@example.org', 'ADA@EXAMPLE.ORG']) {
        expect([name, (await logIn(site, name)).status]).toEqual([name, 201]);
      }
      // What merely looks like the name is another one.
      expect((await logIn(site, 'Аdа')).status).toBe(401);
    }));

  it('[S1] answers alike for an unknown name and a wrong password, with the same work', () =>
    within({}, async (site) => {
      await site.join('ada');
      await logIn(site, 'nobody', 'wrong password');
      const times = { ada: [] as number[], nobody: [] as number[] };
      for (let i = 0; i < 8; i += 1) {
        for (const name of ['ada', 'nobody'] as const) {
          // What it takes of the processor: how long it waits for one says nothing. The kernel counts the sum well, its two parts by guess.
          const began = process.cpuUsage();
          const { status, body } = await logIn(site, name, 'wrong password');
          const { user, system } = process.cpuUsage(began);
          times[name].push(user + system);
          expect([status, body]).toEqual([401, (await logIn(site, 'somebody', 'x'.repeat(20))).body]);
        }
      }
      // The quickest of each, which nothing else held up: argon2 takes by far the most of it, on both ways: without it an unknown name answers ten times as fast.
      expect(Math.min(...times.nobody)).toBeGreaterThan(Math.min(...times.ada) / 2);
      expect(Math.min(...times.ada)).toBeGreaterThan(Math.min(...times.nobody) / 2);
    }));

  it.each(['', 'x'.repeat(4_000), '\u0000'.repeat(3), '$argon2id$v=19$m=19456,t=2,p=1$YWFhYWFhYWE$YQ', "' or 1=1 --"])(
    'refuses the password %j',
    (password) =>
      within({}, async (site) => {
        await site.join('ada');
        const { status } = await logIn(site, 'ada', password);
        expect([401, 422]).toContain(status);
      }),
  );

  it('counts failures alone, by account and address, and lets the owner in from elsewhere', () =>
    within({ LIMITS: 'on', RATE_LOGIN_PER_ACCOUNT: '5', TRUSTED_PROXIES: '127.0.0.1' }, async (site) => {
      await site.join('ada');
      const from = (address: string, password: string) =>
        site.ask('POST', '/v1/sessions', {
          body: { name: 'ada', password },
          headers: { 'x-forwarded-for': address },
        });
      for (let i = 0; i < 12; i += 1) expect((await from('1.1.1.1', PASSWORD)).status).toBe(201);
      const guesses = await Promise.all(Array.from({ length: 20 }, () => from('6.6.6.6', 'a guess')));
      expect(guesses.filter(({ status }) => status === 401)).toHaveLength(5);
      const refused = guesses.filter(({ status }) => status === 429);
      expect(refused).toHaveLength(15);
      expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(0);
      expect((await from('6.6.6.6', PASSWORD)).status).toBe(429);
      expect((await from('1.1.1.1', PASSWORD)).status).toBe(201);
    }));

  it('keeps so many sessions, and ends the one used longest ago', () =>
    within({ SESSIONS_PER_USER_MAX: '3' }, async (site) => {
      const ada = await site.join('ada');
      const more = [];
      for (let i = 0; i < 3; i += 1) {
        site.clock.ahead += 1_000;
        more.push((await logIn(site, 'ada')).body.accessToken);
      }
      expect(await lives(site, ada.token)).toBe(false);
      for (const token of more) expect(await lives(site, token)).toBe(true);
    }));
});

describe('sessions', () => {
  it('are listed, and end one by one or all', () =>
    within({}, async (site) => {
      const ada = await site.join('ada');
      const bob = await site.join('bob');
      const other = (await logIn(site, 'ada')).body;
      const { sessions } = (await site.ask('GET', '/v1/sessions', { token: ada.token })).body;
      expect(sessions).toHaveLength(2);
      expect(sessions.find((session: { current: boolean }) => session.current)).toMatchObject({
        id: ada.session,
        address: '127.0.0.1',
      });
      expect((await site.ask('DELETE', `/v1/sessions/${ada.session}`, { token: bob.token })).status).toBe(404);
      expect((await site.ask('DELETE', `/v1/sessions/${other.session}`, { token: ada.token })).status).toBe(200);
      expect(await lives(site, other.accessToken)).toBe(false);
      expect((await refresh(site, other.refreshToken)).body.code).toBe('bad_refresh_token');
      const third = (await logIn(site, 'ada')).body;
      expect((await site.ask('DELETE', '/v1/sessions?keepCurrent=true', { token: ada.token })).status).toBe(200);
      expect([await lives(site, third.accessToken), await lives(site, ada.token)]).toEqual([false, true]);
      expect((await site.ask('DELETE', '/v1/sessions', { token: ada.token })).status).toBe(200);
      expect(await lives(site, ada.token)).toBe(false);
    }));

  it('[S2] access tokens end with their time, and sessions that are not refreshed with theirs', () =>
    within({ ACCESS_TOKEN_EXPIRE_MINUTES: '1', REFRESH_TOKEN_EXPIRE_DAYS: '1' }, async (site) => {
      const ada = await site.join('ada');
      site.clock.ahead += 61_000;
      expect(await lives(site, ada.token)).toBe(false);
      const next = (await refresh(site, ada.refreshToken)).body;
      expect(await lives(site, next.accessToken)).toBe(true);
      site.clock.ahead += 86_401_000;
      expect((await refresh(site, next.refreshToken)).body.code).toBe('bad_refresh_token');
    }));

  it('[S3] a refresh token works once, and one that was used before ends the session', () =>
    within({}, async (site) => {
      const ada = await site.join('ada');
      const second = (await refresh(site, ada.refreshToken)).body;
      const third = (await refresh(site, second.refreshToken)).body;
      expect(await lives(site, third.accessToken)).toBe(true);
      expect((await refresh(site, ada.refreshToken)).body.code).toBe('bad_refresh_token');
      expect(await lives(site, third.accessToken)).toBe(false);
      expect((await refresh(site, third.refreshToken)).body.code).toBe('bad_refresh_token');
    }));

  it('[S3] garbage ends no session', () =>
    within({}, async (site) => {
      const ada = await site.join('ada');
      const [session, generation, secret, seal] = ada.refreshToken.split('.');
      for (const token of [
        `${session}.${generation}.${'A'.repeat(43)}.${seal}`,
        `${session}.0.${secret}.${'A'.repeat(43)}`,
        `${session}.99.${secret}.${seal}`,
        `${session}`,
        ada.token,
      ]) {
        expect((await refresh(site, token)).status).toBe(401);
      }
      expect(await lives(site, ada.token)).toBe(true);
      expect((await refresh(site, ada.refreshToken)).status).toBe(200);
    }));

  it('[S3] of 20 uses at once one wins, and it stays', () =>
    within({}, async (site) => {
      const ada = await site.join('ada');
      const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(site, ada.refreshToken)));
      const won = answers.filter(({ status }) => status === 200);
      expect(won).toHaveLength(1);
      expect(answers.filter(({ body }) => body.code === 'bad_refresh_token')).toHaveLength(19);
      expect((await refresh(site, won[0]?.body.refreshToken)).status).toBe(200);
      // What was a race is a theft a moment later.
      site.clock.ahead += 60_000;
      expect((await refresh(site, ada.refreshToken)).status).toBe(401);
      expect((await refresh(site, won[0]?.body.refreshToken)).status).toBe(401);
    }));

  it('[S4] a new password ends all others, and the old one no longer lets in', () =>
    within({}, async (site) => {
      const ada = await site.join('ada');
      const other = (await logIn(site, 'ada')).body;
      const change = (password: string, newPassword: string) =>
        site.ask('PUT', '/v1/me/password', { token: ada.token, body: { password, newPassword } });
      expect((await change('wrong password', 'another password')).body.code).toBe('bad_credentials');
      expect((await change(PASSWORD, 'short')).body.fields[0].path).toBe('/newPassword');
      expect((await change(PASSWORD, 'another password')).status).toBe(204);
      expect([await lives(site, ada.token), await lives(site, other.accessToken)]).toEqual([true, false]);
      expect((await logIn(site, 'ada')).status).toBe(401);
      expect((await logIn(site, 'ada', 'another password')).status).toBe(201);
    }));

  it('[S4] no session begins by a password while it is being changed', () =>
    within({}, async (site) => {
      const ada = await site.join('ada');
      for (let round = 0; round < 5; round += 1) {
        const now = round % 2 === 0 ? PASSWORD : 'another password';
        const next = round % 2 === 0 ? 'another password' : PASSWORD;
        const [changed, ...entered] = await Promise.all([
          site.ask('PUT', '/v1/me/password', { token: ada.token, body: { password: now, newPassword: next } }),
          ...Array.from({ length: 8 }, () => logIn(site, 'ada', now)),
        ]);
        expect(changed?.status).toBe(204);
        for (const { status, body } of entered) {
          expect([201, 401]).toContain(status);
          if (status === 201) expect(await lives(site, body.accessToken)).toBe(false);
        }
      }
    }));
});

describe('passwords', () => {
  it('are checked a few at a time, and no more wait than may', async () => {
    const passwords = new Passwords({ PASSWORD_CHECKS_MAX: 1, PASSWORD_QUEUE_MAX: 2 });
    const stored = await passwords.hash('right');
    const checks = Array.from({ length: 5 }, () => passwords.verify(stored, 'right'));
    const settled = await Promise.allSettled(checks);
    expect(settled.map((one) => (one.status === 'fulfilled' ? one.value : one.reason.name))).toEqual([
      true,
      true,
      true,
      'PasswordsBusyError',
      'PasswordsBusyError',
    ]);
    await expect(passwords.verify(stored, 'right')).resolves.toBe(true);
  });

  it('are argon2id, and never right where there is no account', async () => {
    const passwords = new Passwords({ PASSWORD_CHECKS_MAX: 2, PASSWORD_QUEUE_MAX: 10 });
    const stored = await passwords.hash('pa\u0308ssword');
    expect(stored).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(await passwords.verify(stored, 'p\u00e4ssword')).toBe(true);
    expect(await passwords.verify(stored, 'password')).toBe(false);
    expect(await passwords.verify(null, 'there is no such account')).toBe(false);
  });
});
