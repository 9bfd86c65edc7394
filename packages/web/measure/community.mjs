// A community to take pictures of: a small cooperative that mends bicycles, over two days, on a server of its own whose
// clock stands at a fixed time, so that pictures of it come out the same whenever they are made.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Api } from '@natter/client/api';
import { Http } from '@natter/client/http';
import { openApp } from '@natter/server/app';
import { systemClock } from '@natter/server/clock';
import { loadConfig } from '@natter/server/config';
import { makeLogger } from '@natter/server/logger';

export const PASSWORD = 'correct horse battery';
/** When the pictures are taken. */
const NOW = Date.parse('2026-05-19T08:42:00Z');

const PEOPLE = {
  maya: 'Maya Lindqvist',
  tom: 'Tom Okafor',
  ines: 'Inês Ferreira',
  jonas: 'Jonas Weber',
  priya: 'Priya Raman',
  sam: 'Sam Whitaker',
  lena: 'Lena Novák',
};

// Minutes before now, who, what; and what happened to it then.
const TALK = {
  workshop: {
    topic: 'What is on the stands, and who has the key',
    members: ['tom', 'ines', 'jonas', 'priya', 'sam', 'lena'],
    said: [
      [
        1490,
        'tom',
        'The tandem is done. Two new chains, and I trued the rear wheel twice because I did not trust the first time.',
      ],
      [
        1488,
        'ines',
        'The one with the **pink** bar tape? Mrs Aldana will be happy, she has asked every day.',
        { '🎉': ['maya', 'tom', 'lena'] },
      ],
      [1487, 'tom', 'That one. It stands at the window, not for sale to anybody who asks!'],
      [
        1402,
        'priya',
        'Stand 3 wobbles again. I put a note on it, please do not hang anything heavier than a road bike there.',
        { '👍': ['jonas', 'sam'] },
        { pin: true },
      ],
      [1398, 'jonas', 'I have the bolts for it since last week. Tomorrow, first thing.', {}, { to: -1 }],
      [1204, 'sam', 'Closing up. Till is counted, key is with Lena.'],
      [
        171,
        'jonas',
        'Good morning! Stand 3 is bolted down and took my whole weight. ☕ is on.',
        { '☕': ['maya', 'priya', 'ines'], '❤️': ['priya'] },
      ],
      [164, 'maya', 'You are the best. Can somebody look at the order before I send it? Here is what I have:'],
      [
        163,
        'maya',
        '| what | how many | for |\n| --- | --- | --- |\n| brake cable 1.5 mm | 40 | everything |\n| chain 8-speed | 12 | school bikes |\n| tube 28" | 60 | the June ride |',
      ],
      [
        158,
        'ines',
        'Twelve chains are gone in a week when the school brings theirs. Make it **20**, and do not forget the quick links.',
        { '👍': ['maya'] },
        { to: -1 },
      ],
      [157, 'maya', 'Twenty it is, and links. Sent.', {}, { edit: 'Twenty it is, and quick links. Sent at 8:06.' }],
      [
        44,
        'lena',
        'The sensor at the door counts again. What was wrong, for whoever meets it next time:\n\n```python\ndef visitors(lines):\n    # Everybody comes in and goes out: two beams make one visitor.\n    return sum(1 for line in lines if line.startswith("beam")) // 2\n```',
      ],
      [
        41,
        'priya',
        'So all of April was twice as good as we thought it was… half as good? @maya we should correct the report.',
        { '😅': ['tom', 'sam', 'lena'] },
      ],
      [38, 'tom', 'Still our best April. I checked with the till.'],
      [6, 'sam', 'A visitor with a cargo bike at noon, brakes gone soft. Who has time for bleeding them?'],
      [5, 'jonas', 'Me, if somebody takes the wheel of the blue Peugeot that I have on stand 1.'],
      [4, 'ines', 'Give it to me.', { '🙌': ['jonas'] }],
    ],
  },
  'front-desk': {
    topic: 'Opening hours, shifts, the till',
    members: ['tom', 'priya', 'sam', 'lena'],
    said: [
      [1300, 'sam', 'Saturday is short of one person. Four hours, cake included.'],
      [1290, 'lena', 'I can do from one to five.'],
      [52, 'sam', '@maya could you be at the desk from ten to eleven? The dentist moved me.'],
      [50, 'priya', 'Otherwise I can, but not before half past.'],
    ],
  },
  'learning-to-mend': {
    topic: 'The Thursday course',
    members: ['ines', 'priya', 'lena', 'jonas'],
    said: [
      [1450, 'ines', 'Eleven people have signed up for Thursday: gears, and why they rattle.'],
      [1449, 'priya', 'I bring the cut-open hub that everybody wants to hold.'],
      [70, 'ines', 'Handouts are printed.'],
    ],
  },
  rides: {
    topic: 'Sundays, rain or shine',
    members: ['tom', 'ines', 'jonas', 'priya', 'sam', 'lena'],
    said: [
      [1380, 'tom', 'Sunday ride: along the river to the old ferry, 46 km, flat. Nine o’clock at the bridge.'],
      [1375, 'lena', 'Is there something to eat at the other end?'],
      [1372, 'tom', 'There is soup. There is always soup.'],
      [30, 'jonas', 'I come, with the recumbent.'],
      [28, 'tom', 'Then I bring a flag, so that lorries see you.'],
      [27, 'jonas', 'I have *one*. It is large.'],
    ],
  },
  announcements: {
    topic: 'Few words, for everybody',
    members: ['tom', 'ines', 'jonas', 'priya', 'sam', 'lena'],
    said: [[1500, 'maya', 'From June on we open at nine on weekdays.', { '👍': ['tom', 'ines', 'jonas', 'sam'] }]],
  },
};
const DIRECT = {
  ines: [
    [200, 'ines', 'Did the landlord answer about the roof?'],
    [198, 'maya', 'He comes on Friday and looks at it himself.'],
    [12, 'ines', 'Good. I show him the bucket.'],
  ],
  lena: [
    [1460, 'maya', 'Thank you for yesterday, really.'],
    [1459, 'lena', 'Any time. It was fun!'],
  ],
  jonas: [[1700, 'jonas', 'The spare key is in the drawer with the cones.']],
};

/** Opens the server, and lets everybody speak. */
export async function openCommunity() {
  const folder = mkdtempSync(join(tmpdir(), 'natter-community-'));
  const loaded = loadConfig({ HOST: '127.0.0.1', LIMITS: 'off', LOG_LEVEL: 'error', METRICS_ACCESS: 'off' }, folder);
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
  const ahead = NOW - Date.now();
  let back = 0;
  const clock = { ...systemClock, now: () => Date.now() + ahead - back * 60_000 };
  const app = await openApp({ ...loaded.config, port: 0 }, { logger: makeLogger('error'), clock });
  const url = `http://127.0.0.1:${app.port}`;
  const apis = {};
  const ids = {};
  for (const [name, fullName] of Object.entries(PEOPLE)) {
    const people = await fetch(`${url}/v1/users`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name, password: PASSWORD, fullName }),
    });
    const { accessToken, user } = await people.json();
    ids[name] = user.id;
    apis[name] = new Api(new Http({ url, token: async () => accessToken }));
  }
  const due = [];
  const rooms = {};
  back = 2000;
  for (const [name, { topic, members, said }] of Object.entries(TALK)) {
    rooms[name] = await apis.maya.createRoom({
      kind: 'channel',
      visibility: name === 'front-desk' ? 'private' : 'public',
      name,
      topic,
      members: members.map((one) => ids[one]),
    });
    for (const [at, who, text, reactions = {}, more = {}] of said)
      due.push({ at, room: name, who, text, reactions, more });
  }
  for (const [peer, said] of Object.entries(DIRECT)) {
    rooms[peer] = await apis.maya.openDirect(ids[peer]);
    for (const [at, who, text] of said) due.push({ at, room: peer, who, text, reactions: {}, more: {} });
  }
  rooms.planning = await apis.maya.createRoom({ kind: 'group', name: 'Summer party', members: [ids.tom, ids.priya] });
  due.push({ at: 300, room: 'planning', who: 'priya', text: 'I asked the brass band!', reactions: {}, more: {} });
  const last = {};
  for (const { at, room, who, text, reactions, more } of due.sort((a, b) => b.at - a.at)) {
    back = at;
    const { id } = rooms[room];
    const replyTo = more.to ? { replyTo: last[room].at(more.to) } : {};
    const message = await apis[who].sendMessage(id, { text, ...replyTo });
    last[room] = [...(last[room] ?? []), message.id];
    if (more.edit) await apis[who].editMessage(message.id, more.edit);
    if (more.pin) await apis.maya.pin(message.id);
    for (const [emoji, users] of Object.entries(reactions)) {
      for (const user of users) await apis[user].react(message.id, emoji);
    }
  }
  await apis.maya.createUsergroup({
    name: 'menders',
    description: 'Everybody with a key to the workshop',
    members: [ids.tom, ids.ines, ids.jonas],
  });
  back = 0;
  // Read by the one whose screen is shown, save for what makes the pictures speak.
  for (const name of ['workshop', 'learning-to-mend', 'announcements', 'lena', 'jonas', 'planning']) {
    await apis.maya.moveRead(rooms[name].id, (await apis.maya.messages(rooms[name].id, { limit: 1 })).head);
  }
  for (const name of ['tom', 'ines', 'priya']) {
    await apis[name].moveRead(rooms.workshop.id, (await apis[name].messages(rooms.workshop.id, { limit: 1 })).head);
  }
  return {
    url,
    rooms,
    apis,
    ahead,
    async close() {
      await app.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
