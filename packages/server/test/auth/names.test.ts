import { emailKey, emailProblem, nameKey, nameProblem, nameRules } from '@natter/server/auth/names';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const MAX = 50;
const fits = (name: string): boolean => nameProblem(name, MAX) === null;
/** Would the second name be refused because the first is taken? */
const same = (one: string, other: string): boolean => {
  const taken = new Set(nameRules.keys(one));
  return nameRules.keys(other).some((key) => taken.has(key));
};

describe('names', () => {
  it.each([
    'ada',
    'Ada',
    'x',
    'ada.lovelace',
    'ada_lovelace-2',
    'José',
    'Łukasz',
    'Đặng',
    'straße',
    'Ελένη',
    'Мария2',
    'محمد',
    'דוד',
    'अमित',
    'สมชาย',
    '山田太郎',
    'やまだ',
    'サーバー',
    '김철수',
    '王小明',
    'ა',
  ])('%s is one', (name) => {
    expect(nameProblem(name, MAX)).toBeNull();
  });

  it.each([
    ['nothing', ''],
    ['a blank', 'ada lovelace'],
    ['a blank around', ' ada'],
    ['a sign at the beginning', '.ada'],
    ['a sign at the end', 'ada-'],
    ['other signs', 'ada@home'],
    ['markup', '<b>'],
    ['a slash', 'a/b'],
    ['an emoji', 'ada😀'],
    ['NUL', 'a\0b'],
    ['a line break', 'a\nb'],
    ['a joiner that is not seen', 'a\u200db'],
    ['a space that is not seen', 'a\u200bb'],
    ['a soft hyphen', 'a\u00adb'],
    ['a byte order mark', 'a\ufeffb'],
    ['a change of direction', 'a\u202eb'],
    ['a direction mark', 'a\u200fb'],
    ['a variation selector', 'a\ufe0fb'],
    ['a filler that is a letter', 'a\u3164b'],
    ['a tag character', 'a\u{e0061}b'],
    ['a private character', 'a\ue000b'],
    ['a lone surrogate', 'a\ud800b'],
    ['Latin with Cyrillic', 'pаypal'],
    ['Latin with Greek', 'αda'],
    ['Cyrillic with Greek', 'аα'],
    ['letters of mathematics', '𝐚𝐝𝐚'],
    ['wide letters', 'ａｄａ'],
    ['letters of phonetics', 'ɑda'],
    ['Cherokee, which looks like Latin', 'ᎪᎠᎪ'],
    ['a stroke drawn through', 'a\u0336d\u0336a'],
    ['marks without end', `a${'\u0301'.repeat(10)}`],
    ['a mark without a letter', '\u0301a'],
    ['too many letters', 'a'.repeat(51)],
    ['a million letters', 'a'.repeat(1_000_000)],
    ['a word that calls everybody', 'Everyone'],
    ['the name of a deleted account', 'deleted-17'],
  ])('with %s is none', (_what, name) => {
    expect(nameProblem(name, MAX)).toEqual(expect.any(String));
  });

  it.each([
    ['ada', 'ADA'],
    ['straße', 'STRASSE'],
    ['Σίσυφος', 'ΣΊΣΥΦΟΣ'],
    ['İrem', 'irem'],
    ['José', 'Jose\u0301'],
    ['coco', 'сосо'],
    ['BOB', 'ВОВ'],
    ['Tom', 'Том'],
    ['viko', 'νικο'],
    ['bob', 'b0b'],
    ['lily', '1ily'],
    ['alice', 'aIice'],
    ['linus', 'Iinus'],
    ['mike', 'rnike'],
    ['محمدی', 'محمدي'],
    ['エロ', '工口'],
  ])('%s and %s are the same', (one, other) => {
    expect([same(one, other), same(other, one)]).toEqual([true, true]);
  });

  it.each([
    ['mila', 'mlla'],
    ['eli', 'ell'],
    ['ali', 'all2'],
    ['anna', 'ana'],
    ['josé', 'jose'],
    ['user1', 'user2'],
    ['user10', 'user11'],
    ['мария', 'марина'],
  ])('%s and %s are two', (one, other) => {
    expect(same(one, other)).toBe(false);
  });

  it('are the same as themselves in any case and any way to compose them', () => {
    const letters = fc.constantFrom(...'abcxyzABCIlo01éÉñßΣςσИйІıİżŻ한国カが');
    fc.assert(
      fc.property(fc.array(letters, { minLength: 1, maxLength: 20 }), (units) => {
        const name = units.join('');
        expect(nameKey(name.normalize('NFD'))).toBe(nameKey(name));
        expect(nameKey(name.toLowerCase())).toBe(nameKey(name));
        expect(nameKey(nameKey(name))).toBe(nameKey(name));
        expect(nameRules.keys(name)).toContain(nameKey(name));
      }),
    );
  });

  it('that may be hold nothing unseen, and are not changed by what they are compared as', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 12 }), (name) => {
        if (!fits(name)) return;
        expect(name).toMatch(/^[\p{L}\p{N}\p{M}._-]+$/u);
        expect(name).toBe(name.normalize('NFKC'));
        expect(same(name, name)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['letters and signs', 'a.'],
    ['marks', 'a\u0301'],
    ['signs', '.'],
    ['digits', '0'],
    ['one that grows when it is normalised', '\ufdfa'],
  ])('are judged in linear time: %s', (_what, unit) => {
    const name = unit.repeat(100_000);
    const began = process.cpuUsage();
    nameProblem(name, 10_000_000);
    nameKey(name);
    emailProblem(`${name}@${name}`);
    // Milliseconds where time is linear, minutes where it grows with the square.
    expect(process.cpuUsage(began).user / 1_000).toBeLessThan(3_000);
  });
});

describe('e-mail addresses', () => {
  it.each(['ada@example.org', 'a.b+c@sub.example.co', "o'neil@example.org", 'ada@bücher.example', 'A@B.example'])(
    '%s is one',
    (address) => expect(emailProblem(address)).toBeNull(),
  );

  it.each([
    '',
    '@',
    'ada',
    'ada@',
    '@example.org',
    'ada@localhost',
    'ada@example.123',
    'ada@-a.example',
    'ada@a..example',
    'ada@example.org.',
    '.ada@example.org',
    'a..b@example.org',
    'a b@example.org',
    'ada@exa mple.org',
    'ada@example.org\r\nBcc: all@example.org',
    '"ada"@example.org',
    'ada@[127.0.0.1]',
    'ада@example.org',
    `${'a'.repeat(65)}@example.org`,
    `ada@${'a'.repeat(64)}.org`,
    `a@${'a.'.repeat(130)}org`,
    'ada@exam\0ple.org',
    'ada@example.org\u202e',
    'a@b@c.org',
  ])('%j is none', (address) => {
    expect(emailProblem(address)).toEqual(expect.any(String));
  });

  it('are the same in any case, and in either spelling of their domain', () => {
    expect(emailKey('Ada@Example.ORG')).toBe(emailKey('ada@example.org'));
    expect(emailKey('ada@BÜCHER.example')).toBe(emailKey('ada@xn--bcher-kva.example'));
    expect(emailKey('ada@example.org')).not.toBe(emailKey('ada@example.com'));
  });
});
