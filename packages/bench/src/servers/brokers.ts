/** The peers that are programs of their own: nats-server and mosquitto, both over their WebSocket listeners. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installed, start } from '../children.js';
import { freePort } from '../ports.js';
import { type Contestant, type Place, roomNames, type Started } from './server.js';

function output(command: string, args: readonly string[]): string {
  const run = spawnSync(command, args, { encoding: 'utf8' });
  return `${run.stdout}${run.stderr}`;
}

export const nats: Contestant = {
  name: 'nats-server',
  title: 'nats-server over WebSocket',
  wire: 'nats',
  stores: false,
  order: 'sender',
  onNode: false,
  missing: () => (installed('nats-server') ? null : 'not installed (Debian package nats-server)'),
  version: () => `nats-server ${/\bv(\d\S*)/.exec(output('nats-server', ['--version']))?.[1]}`,
  async start(place: Place): Promise<Started> {
    const config = join(place.dir, 'nats.conf');
    const lines = [
      `server_name: "bench-${place.nonce}"`,
      `listen: "127.0.0.1:${await freePort([place.port])}"`,
      `websocket { listen: "127.0.0.1:${place.port}", no_tls: true }`,
      'max_connections: 20000',
    ];
    writeFileSync(config, `${lines.join('\n')}\n`);
    const child = start('nats-server', ['-c', config, '-l', join(place.dir, 'log')], {
      core: place.core,
      stdio: 'ignore',
    });
    return { child, rooms: roomNames(place), tokens: [] };
  },
};

export const mosquitto: Contestant = {
  name: 'mosquitto',
  title: 'mosquitto over WebSocket',
  wire: 'mqtt',
  stores: false,
  order: 'sender',
  onNode: false,
  missing: () => (installed('mosquitto') ? null : 'not installed (Debian package mosquitto)'),
  version: () => `mosquitto ${/version (\S+)/.exec(output('mosquitto', ['-h']))?.[1]}`,
  async start(place: Place): Promise<Started> {
    const config = join(place.dir, 'mosquitto.conf');
    const lines = [
      // Running as root it would become the user `mosquitto`, who can't read the folder.
      'user root',
      // It does not start with a WebSocket listener alone.
      `listener ${await freePort([place.port])} 127.0.0.1`,
      `listener ${place.port} 127.0.0.1`,
      'protocol websockets',
      'allow_anonymous true',
      'persistence false',
      'max_queued_messages 0',
      'set_tcp_nodelay true',
      'log_type error',
      `log_dest file ${join(place.dir, 'log')}`,
    ];
    writeFileSync(config, `${lines.join('\n')}\n`);
    const child = start('mosquitto', ['-c', config], { core: place.core, stdio: 'ignore' });
    return { child, rooms: roomNames(place), tokens: [] };
  },
};
