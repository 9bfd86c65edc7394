/** One simulated life: people with devices who do what people do while everything around them breaks, and then heals. */
import type { Command, RoomId, UserId } from '@natter/protocol';
import { Device } from './device.js';
import { judge } from './judge.js';
import type { Parts } from './parts.js';
import { type Bugs, type Node, settle, World } from './world.js';

const USERS = 5;
const DEVICES = 2;
const NODES = 3;
/** Some thousands are needed. */
const HEALING_STEPS = 50_000;

export interface LifeOptions {
  seed: number;
  steps: number;
  parts: Parts;
  bugs?: Bugs;
}

export interface LifeReport {
  events: number;
  asked: number;
  unknown: number;
  heard: number;
  kills: number;
}

export class Life {
  readonly world: World;
  readonly users: UserId[] = [];
  readonly devices: Device[] = [];
  kills = 0;
  readonly #steps: number;

  constructor({ seed, steps, parts, bugs = {} }: LifeOptions) {
    this.world = new World({ seed, parts, bugs, nodes: NODES });
    this.#steps = steps;
  }

  async live(): Promise<LifeReport> {
    const { world } = this;
    try {
      await world.open();
      await this.#begin();
      for (let step = 0; step < this.#steps && world.problems.length === 0; step += 1) {
        const act = world.waiting === 0 || world.random.chance(world.waiting < 100 ? 0.35 : 0.1);
        if (act) await this.#act();
        else world.step();
        await settle();
      }
      await this.#heal();
      await judge(this);
      const asked = this.devices.flatMap((device) => device.asked);
      return {
        events: Number(world.connection.query('select count(*) as n from events', [])[0]?.n),
        asked: asked.length,
        unknown: asked.filter((one) => one.unknown > 0).length,
        heard: this.devices.reduce((sum, device) => sum + device.heard.length, 0),
        kills: this.kills,
      };
    } finally {
      world.close();
    }
  }

  async #begin(): Promise<void> {
    const { world } = this;
    const [node] = world.nodes as [Node];
    for (let i = 1; i <= USERS; i += 1) {
      const id = world.reserveStreams(1);
      const name = `u${i}`;
      const body = { name, nameKey: name, email: null, fullName: '', role: 'user' as const };
      const claims = [{ space: 'user.name' as const, value: name, owner: id }];
      const drafts = [{ stream: id, type: 'user.created' as const, body }];
      const committed = node.log.append({ actor: id, at: world.now, drafts, claims });
      while (world.waiting > 0 || !(await isSettled(committed))) {
        if (world.waiting > 0) world.step();
        await settle();
      }
      this.users.push(id);
    }
    for (const user of this.users) {
      for (let i = 1; i <= DEVICES; i += 1) this.devices.push(new Device(world, user, `d${i}`));
    }
    world.calm = false;
    for (const device of this.devices) device.connect(world.random.pick(world.nodes));
    const [one, two] = this.devices as [Device, Device];
    one.ask({ type: 'room.create', kind: 'group', name: 'g', members: this.users.slice(1, 3) });
    one.ask({ type: 'room.create', kind: 'channel', name: 'c', visibility: 'public' });
    two.ask({ type: 'room.create', kind: 'channel', name: 'h', visibility: 'public', history: 'joined' });
  }

  #rooms(): RoomId[] {
    return this.world.connection
      .query('select id from rooms where deleted_at is null', [])
      .map((row) => Number(row.id));
  }

  async #act(): Promise<void> {
    const { world } = this;
    const { random } = world;
    const device = random.pick(this.devices);
    const what = random.below(100);
    if (what < 62) {
      const command = this.#command(device);
      if (command) device.ask(command);
    } else if (what < 66) {
      this.#again(device);
    } else if (what < 71) {
      device.connect(random.pick(world.nodes));
    } else if (what < 72) {
      device.disconnect();
    } else if (what < 77) {
      if (device.socket) device.socket.stalled = true;
    } else if (what < 86) {
      for (const { socket } of this.devices) {
        if (!socket) continue;
        socket.stalled = false;
        socket.deliver();
      }
    } else if (what < 94) {
      const rooms = this.#rooms();
      if (rooms.length > 0) device.look(random.pick(rooms), 1 + random.below(5));
    } else if (what < 99) {
      world.pass(500 + random.below(3_000));
    } else if (random.chance(0.4)) {
      await this.#kill(random.pick(world.nodes));
    }
  }

  async #kill(node: Node): Promise<void> {
    node.kill();
    this.kills += 1;
    for (const device of this.devices) if (device.socket?.node === node) device.disconnect();
    await this.world.startNode();
  }

  #command(device: Device): Command | null {
    const { random, connection } = this.world;
    const rooms = this.#rooms();
    if (rooms.length === 0) return null;
    const mine = connection
      .query('select room from members where user_id = ?', [device.user])
      .map((row) => Number(row.room));
    const room = random.pick(mine.length > 0 && random.chance(0.85) ? mine : rooms);
    const user = random.pick(this.users);
    const messages = connection.query('select id from messages where room = ? order by seq desc limit 8', [room]);
    const message = messages.length > 0 ? Number(random.pick(messages).id) : 1;
    const head = Number(connection.query('select head from streams where id = ?', [room])[0]?.head);
    const text = `${device.user}/${device.asked.length} ${'x'.repeat(random.below(200))}`;
    const what = random.below(100);
    if (what < 40) return { type: 'message.send', room, text };
    if (what < 45)
      return {
        type: 'message.send',
        room,
        text: `${text} @u${1 + random.below(USERS)} ${random.chance(0.3) ? '@all' : ''}`,
      };
    if (what < 51) return { type: 'message.send', room, text, replyTo: message };
    if (what < 57) return { type: 'message.edit', message, text: `${text} edited @u${1 + random.below(USERS)}` };
    if (what < 61) return { type: 'message.delete', message };
    if (what < 65)
      return {
        type: random.chance(0.6) ? 'reaction.add' : 'reaction.remove',
        message,
        emoji: random.pick(['👍', '🎉']),
      };
    if (what < 68) return { type: random.chance(0.6) ? 'pin.add' : 'pin.remove', message };
    if (what < 74) return { type: 'member.join', room };
    if (what < 78) return { type: 'member.add', room, users: [user] };
    if (what < 82) return { type: 'member.remove', room, user };
    if (what < 84) return { type: 'member.leave', room };
    if (what < 86) return { type: 'member.change', room, user, role: random.pick(['owner', 'admin', 'member']) };
    if (what < 93) return { type: 'read.move', room, seq: random.below(head + 1) };
    if (what < 95) return { type: 'read.unmark', room, seq: 1 + random.below(head) };
    if (what < 96)
      return { type: 'room.change', room, topic: text.slice(0, 20), history: random.pick(['shared', 'joined']) };
    if (what < 97) return { type: random.chance(0.5) ? 'room.archive' : 'room.unarchive', room };
    if (what < 98) return { type: 'room.open', user };
    if (what < 99) return { type: 'room.create', kind: 'group', name: 'more', members: [user] };
    return random.chance(0.3) ? { type: 'room.delete', room } : null;
  }

  /** Sends again what was sent before, with the same key: as it was, or changed. */
  #again(device: Device): void {
    const { random } = this.world;
    const before = device.asked.filter(({ answered }) => answered !== null);
    if (before.length === 0) return;
    const { command, key } = random.pick(before);
    const changed = command.type === 'message.send' && random.chance(0.3);
    random
      .pick(this.devices.filter(({ user }) => user === device.user))
      .ask(changed ? { ...command, text: 'another text under the same key' } : command, key);
  }

  /** Nothing on the bus arrives any more, everybody is connected and reads, and time passes. */
  async #heal(): Promise<void> {
    const { world } = this;
    world.calm = true;
    let left = HEALING_STEPS;
    for (const device of this.devices) if (!device.socket) device.connect(world.random.pick(world.nodes));
    for (let round = 0; round < 40 && world.problems.length === 0; round += 1) {
      for (const { socket } of this.devices) {
        if (!socket) continue;
        socket.stalled = false;
        socket.deliver();
      }
      for (let idle = 0; idle < 4; idle += 1) {
        while (world.waiting > 0 && left > 0) {
          left -= 1;
          idle = 0;
          world.step();
          await settle();
        }
        await settle();
      }
      if (round >= 6 && this.devices.every((device) => !device.busy)) return;
      world.pass(1_000);
    }
    if (left === 0) world.problem('it does not come to rest');
    for (const device of this.devices) {
      if (device.busy) world.problem(`${device.name} of user ${device.user} is never answered`);
    }
  }
}

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const open = Symbol('open');
  return (await Promise.race([promise, Promise.resolve(open)])) !== open;
}
