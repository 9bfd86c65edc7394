/** What search finds, and for whom. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { findAll, openStack, type Stack } from './stack.js';

let stack: Stack;
let ann: number;
let ben: number;
let room: number;

/** What the index held before the test began. */
let before: number;
let shared: Stack;

beforeAll(async () => {
  shared = await openStack();
});
afterAll(() => shared.close());

beforeEach(async () => {
  await settle(shared);
});
afterEach(async () => {
  if (stack !== shared) await stack.close();
});

/** New people and a new room in a stack. */
async function settle(given: Stack): Promise<void> {
  stack = given;
  ann = await stack.user('ann');
  ben = await stack.user('ben');
  room = await stack.room([ann, ben]);
  await stack.search.settled();
  before = (await stack.search.state()).messages;
}

const say = (text: string) => stack.say(room, ann, text);
const texts = async (text: string, mode?: 'words' | 'substring' | 'fuzzy') =>
  (await stack.find({ user: ann, text, ...(mode ? { mode } : {}) })).hits.map((hit) => hit.row.text);

describe('the language of queries', () => {
  it('[M5] finds messages with all words, newest first, and says where', async () => {
    await say('Install Java with apt-get');
    await say('java is an island');
    await say('apt-get install something');
    const page = await stack.find({ user: ann, text: 'JAVA' });
    expect(page.hits.map((hit) => [hit.row.text, hit.match, hit.ranges])).toEqual([
      ['java is an island', 'word', [[0, 4]]],
      ['Install Java with apt-get', 'word', [[8, 12]]],
    ]);
    expect(await texts('java install')).toEqual(['Install Java with apt-get']);
    expect(await texts('java nothing', 'words')).toEqual([]);
  });

  it('[M5] finds a phrase only as it stands', async () => {
    await say('the kernel panic again');
    await say('panic in the kernel');
    await say('Kernel  Panic!');
    expect(await texts('"kernel panic"')).toEqual(['Kernel  Panic!', 'the kernel panic again']);
    expect(await texts('“kernel panic”')).toHaveLength(2);
  });

  it('[M5] takes whole words for whole, and says where they stand', async () => {
    await say('xjava java javax java');
    await say('ab c b-c');
    const [hit] = (await stack.find({ user: ann, text: 'java', mode: 'words' })).hits;
    expect(hit?.ranges).toEqual([
      [6, 10],
      [17, 21],
    ]);
    const [part] = (await stack.find({ user: ann, text: 'java', mode: 'substring' })).hits;
    expect([part?.match, part?.ranges]).toEqual(['word', [[1, 5], [6, 10], [11, 15], [17, 21]]]); // biome-ignore format: one line
    // The words stand side by side, and the signs between them elsewhere.
    expect(await texts('"b c"', 'words')).toEqual([]);
    expect(await texts('"b c"', 'substring')).toEqual(['ab c b-c']);
  });

  it('[M5] finds a path by its words and its signs', async () => {
    await say('edit /etc/apt/sources.list please');
    await say('edit /etc/apt/sources-list please');
    await say('etc apt sources list');
    await say('see /etc/apt/sources.list.d');
    expect(await texts('/etc/apt/sources.list', 'words')).toEqual([
      'see /etc/apt/sources.list.d',
      'edit /etc/apt/sources.list please',
    ]);
    expect(await texts('/apt/sour', 'words')).toEqual([]);
    expect(await texts('tc/apt/sour', 'substring')).toHaveLength(3);
  });

  it('[M5] takes every operator and quote as data', async () => {
    await say('rm -rf / NEAR(a b) AND "quoted" OR * ^x col:val {brace} it\'s C++ 100% a_b');
    const hostile = [
      '"', '""', '"""', 'AND', 'OR', 'NOT', 'NEAR(a b)', 'NEAR', '*', 'col:val', 'text:val', 'words:a', '{brace}', '^x', '-rf', 'rm -rf',
      "it's", "';drop table words;--", 'C++', '100%', 'a_b', '%', '_', '\\', '(', ')', '(a', '"rm', 'rm"', 'x*', '+', 'a AND OR b', '\ue000r1', '\ue000',
    ]; // biome-ignore format: a list
    for (const text of hostile) {
      for (const mode of ['auto', 'words', 'substring', 'fuzzy'] as const) {
        const answer = await stack.search.find({ user: ann, text, mode, limit: 10 });
        expect(answer.ok, `${mode} ${text}`).toBe(true);
      }
    }
    for (const text of ['-rf', 'NEAR(a', '{brace}', "it's", 'C++', '100%', 'a_b', '^x', '"rm -rf /"']) {
      expect(await texts(text, 'words'), text).toHaveLength(1);
    }
    expect(await texts('C+-', 'substring')).toEqual([]);
  });

  it('leaves the punctuation around a bare word off, and looks for signs alone when there is nothing else', async () => {
    await say('have you installed java');
    await say('nice :) really');
    expect(await texts('installed java?', 'words')).toEqual(['have you installed java']);
    expect(await texts('(java),', 'words')).toEqual(['have you installed java']);
    expect(await texts('java - installed', 'words')).toEqual(['have you installed java']);
    expect(await texts(':)')).toEqual(['nice :) really']);
    expect(await texts('java?', 'substring')).toEqual([]);
  });

  it('[M5] does not mind case, accents, width, invisible characters and the form of quotes', async () => {
    await say('Straße nach Łódź, CAFÉ e\u0301te\u0301 ｆｕｌｌ don’t so\u00adft ΟΔΥΣΣΕΥΣ');
    for (const text of ['strasse', 'STRASSE', 'cafe', 'café', 'ete', 'été', 'full', "don't", 'soft', 'οδυσσεύς']) {
      expect(await texts(text, 'words'), text).toHaveLength(1);
    }
    const [hit] = (await stack.find({ user: ann, text: 'été' })).hits;
    expect(hit?.ranges.map(([start, end]) => hit.row.text.slice(start, end))).toEqual(['e\u0301te\u0301']);
  });

  it('[M5] finds parts of texts that are written without spaces, and emoji', async () => {
    await say('今日は天気がいいですね');
    await say('明日は雨です 👍🏽');
    await say('วันนี้อากาศดี');
    expect(await texts('天気', 'words')).toEqual(['今日は天気がいいですね']);
    expect(await texts('気天')).toEqual([]);
    expect(await texts('日は')).toHaveLength(2);
    expect(await texts('👍')).toHaveLength(1);
    expect(await texts('อากาศ')).toHaveLength(1);
  });

  it('[M5] falls back from words to parts of words to misspelt words, and says which', async () => {
    await say('the repository is unreachable');
    await say('use the repositories tab');
    await say('mplayer works');
    const match = async (text: string) => (await stack.find({ user: ann, text })).hits.map((hit) => hit.match);
    expect(await match('repository')).toEqual(['word']);
    expect(await match('reposit')).toEqual(['substring', 'substring']);
    expect(await match('repostiory')).toEqual(['typo']);
    expect(await match('mplyer')).toEqual(['typo']);
    expect(await match('tba')).toEqual(['typo']);
    expect(await match('xyzzyqwert')).toEqual([]);
    const [hit] = (await stack.find({ user: ann, text: 'mplyer' })).hits;
    expect(hit?.ranges).toEqual([[0, 7]]);
  });

  it('[M5] finds words longer than the index keeps, whole and in part', async () => {
    const long = 'f'.repeat(40) + '0123456789'.repeat(10);
    await say(`checksum ${long} ok`);
    await say(`checksum ${long}1 other`);
    expect(await texts(long, 'words')).toHaveLength(1);
    expect(await texts(long.slice(3, 90), 'substring')).toHaveLength(2);
    expect(await texts(long.slice(35, 50), 'substring')).toHaveLength(2);
    expect(await texts(`"${long} ok"`, 'words')).toHaveLength(1);
    expect(await texts(`${long.slice(0, 80)}x`, 'substring')).toHaveLength(0);
  });

  it('says what is wrong with a request', async () => {
    const find = (request: object) => stack.search.find({ user: ann, text: 'a', limit: 10, ...request });
    for (const [request, path] of [
      [{ text: '' }, '/q'],
      [{ text: '   ' }, '/q'],
      [{ text: '""', mode: 'words' }, null],
      [{ text: '\u0301' }, '/q'],
      [{ text: 'a\0b' }, '/q'],
      [{ text: '\ud800' }, '/q'],
      [{ text: 'a'.repeat(257) }, '/q'],
      [{ limit: 0 }, '/limit'],
      [{ limit: 1_000_000 }, '/limit'],
      [{ cursor: 'x' }, '/next'],
      [{ cursor: '' }, '/next'],
      [{ cursor: Buffer.from('0.5.aaaaaaaaaaaa').toString('base64url') }, '/next'],
    ] as const) {
      const answer = await find(request);
      if (path === null) expect(answer.ok).toBe(true);
      else expect(answer, JSON.stringify(request)).toMatchObject({ ok: false, code: 'invalid', fields: [{ path }] });
    }
  });
});

describe('pages and filters', () => {
  it('pages by key, newest first, each message once, whatever is said meanwhile', async () => {
    const said: number[] = [];
    for (let index = 0; index < 25; index += 1) said.push(await say(`word ${index}`));
    const seen: number[] = [];
    let cursor: string | undefined;
    do {
      const page = await stack.find({ user: ann, text: 'word', limit: 10, ...(cursor ? { cursor } : {}) });
      seen.push(...page.hits.map((hit) => hit.id));
      cursor = page.next ?? undefined;
      await say('another word');
    } while (cursor);
    expect(seen).toEqual(said.reverse());
  });

  it('refuses the cursor of another search', async () => {
    for (let index = 0; index < 3; index += 1) await say('word');
    const { next } = await stack.find({ user: ann, text: 'word', limit: 1 });
    expect(next).not.toBeNull();
    const cursor = next ?? '';
    for (const request of [{ text: 'other' }, { user: ben }, { room }, { mode: 'words' as const }, { from: ann }]) {
      const answer = await stack.search.find({ user: ann, text: 'word', limit: 1, cursor, ...request });
      expect(answer).toMatchObject({ ok: false, code: 'invalid' });
    }
  });

  it('bounds the work for one page, and goes on from there', async () => {
    await settle(await openStack({ SEARCH_ROWS_MAX: 100, SEARCH_EXPANSIONS_MAX: 2 }));
    const wanted = await say('needle here; nothing below');
    for (let index = 0; index < 300; index += 1) await say(`hay${index} here`);
    const first = await stack.find({ user: ann, text: 'e h', mode: 'substring' });
    expect(first.hits.length).toBeLessThan(101);
    expect(first.next).not.toBeNull();
    expect(await findAll(stack, { user: ann, text: '"edle here"', mode: 'substring' })).toEqual([wanted]);
    expect(await findAll(stack, { user: ann, text: 'ere; noth', mode: 'substring' })).toEqual([wanted]);
    expect(await findAll(stack, { user: ann, text: 'ay', mode: 'substring' })).toHaveLength(300);
  });

  it('filters by room, author and time', async () => {
    const other = await stack.room([ann, ben]);
    const day = (date: string) => Date.parse(`${date}T12:00:00Z`);
    const a = await stack.say(room, ann, 'word', day('2024-01-31'));
    const b = await stack.say(room, ben, 'word', day('2024-02-01'));
    const c = await stack.say(other, ann, 'word', day('2025-02-01'));
    // Said later, of an earlier time: as an import does.
    const d = await stack.say(other, ben, 'word', day('2010-07-07'));
    const ids = (request: object) => findAll(stack, { user: ann, text: 'word', ...request });
    expect(await ids({})).toEqual([d, c, b, a]);
    expect(await ids({ room })).toEqual([b, a]);
    expect(await ids({ from: ben })).toEqual([d, b]);
    expect(await ids({ room: other, from: ann })).toEqual([c]);
    expect(await ids({ before: day('2024-02-01') })).toEqual([d, a]);
    expect(await ids({ after: day('2024-02-01') })).toEqual([c, b]);
    expect(await ids({ after: day('2024-01-31'), before: day('2025-02-01') })).toEqual([b, a]);
    expect(await ids({ after: day('2030-01-01') })).toEqual([]);
    expect(await ids({ before: day('2000-01-01') })).toEqual([]);
    expect(await ids({ from: 999_999 })).toEqual([]);
  });
});

describe('who finds what', () => {
  it('[A2] shows nothing to those who are not members, and answers for their rooms as if there were none', async () => {
    const eve = await stack.user('eve');
    await say('secret word');
    expect(await findAll(stack, { user: eve, text: 'secret' })).toEqual([]);
    expect(await stack.search.find({ user: eve, text: 'secret', room, limit: 10 })).toEqual({
      ok: false,
      code: 'not_found',
    });
    expect(await stack.search.find({ user: eve, text: 'secret', room: 999_999, limit: 10 })).toEqual({
      ok: false,
      code: 'not_found',
    });
  });

  it('[A2] shows nothing of others to those who are in few rooms of many, nor to those who are in nearly all', async () => {
    await settle(await openStack());
    const rooms: number[] = [];
    for (let index = 0; index < 40; index += 1) rooms.push(await stack.room(index % 20 === 0 ? [ann, ben] : [ann]));
    const shared = [rooms[0], rooms[20]];
    const said = new Map<number, number>();
    for (let index = 0; index < 120; index += 1) {
      const where = rooms[index % 40] as number;
      said.set(await stack.say(where, ann, `word ${index}`), where);
    }
    const ids = [...said.keys()].reverse();
    expect(await findAll(stack, { user: ann, text: 'word' })).toEqual(ids);
    expect(await findAll(stack, { user: ann, text: 'ord', mode: 'substring', limit: 3 })).toEqual(ids);
    expect(await findAll(stack, { user: ben, text: 'word' })).toEqual(
      ids.filter((id) => shared.includes(said.get(id))),
    );
    expect(await findAll(stack, { user: ben, text: 'ord', mode: 'substring', limit: 3 })).toHaveLength(6);
  });

  it('[A2] shows nothing more once a member has left', async () => {
    await say('secret word');
    expect(await findAll(stack, { user: ben, text: 'secret' })).toHaveLength(1);
    await stack.append(ann, { stream: room, type: 'member.removed', body: { user: ben } });
    expect(await findAll(stack, { user: ben, text: 'secret' })).toEqual([]);
  });

  it('[A3] shows nothing from before one joined a room that hides it', async () => {
    const hidden = await stack.room([ann], 'joined');
    await stack.say(hidden, ann, 'word before');
    await stack.append(ben, { stream: hidden, type: 'member.joined', body: { user: ben, role: 'member' } });
    const after = await stack.say(hidden, ann, 'word after');
    expect(await findAll(stack, { user: ben, text: 'word' })).toEqual([after]);
    expect(await findAll(stack, { user: ann, text: 'word' })).toHaveLength(2);
  });

  it('[L6] forgets what was deleted and what was edited away, at once and in the index', async () => {
    const id = await say('oldsecret');
    await say('keep');
    await stack.find({ user: ann, text: 'x' });
    const { seq } = await stack.store.db
      .selectFrom('messages')
      .select('seq')
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    await stack.append(ann, {
      stream: room,
      type: 'message.edited',
      body: { message: id, messageSeq: seq, text: 'newsecret' },
    });
    // Not settled: what the index does not know yet is told by the message itself.
    const unsettled = await stack.search.find({ user: ann, text: 'oldsecret', mode: 'words', limit: 10 });
    expect(unsettled).toMatchObject({ ok: true, value: { hits: [] } });
    expect(await findAll(stack, { user: ann, text: 'newsecret' })).toEqual([id]);
    expect(await findAll(stack, { user: ann, text: 'oldsecret', mode: 'words' })).toEqual([]);
    await stack.append(ann, { stream: room, type: 'message.deleted', body: { message: id, messageSeq: seq } });
    const deleted = await stack.search.find({ user: ann, text: 'newsecret', mode: 'words', limit: 10 });
    expect(deleted).toMatchObject({ ok: true, value: { hits: [] } });
    await stack.search.settled();
    expect((await stack.search.state()).messages - before).toBe(1);
  });

  it('[A2] finds nothing of a deleted room, and its messages leave the index', async () => {
    await say('word');
    const kept = await stack.say(await stack.room([ann]), ann, 'word');
    await stack.append(ann, { stream: room, type: 'room.deleted', body: {} });
    expect(await findAll(stack, { user: ann, text: 'word' })).toEqual([kept]);
    expect((await stack.search.state()).messages - before).toBe(1);
  });
});
