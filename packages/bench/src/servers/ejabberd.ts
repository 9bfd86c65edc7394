/** ejabberd with its rooms (MUC) and their archive (MAM) in Mnesia, spoken to over WebSocket; from Debian's package, without its service. */
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installed, start } from '../children.js';
import { type Contestant, type Place, roomNames, type Started } from './server.js';

/** Where Debian has Erlang's libraries, ejabberd among them: one folder for each processor's kind. */
const LIBRARIES = '/usr/lib';
const LONGER_THAN_A_RUN = 86_400;

/** The folder in which ejabberd is, with its version; null where it is not installed. */
function found(): { libraries: string; version: string } | null {
  if (!installed('erl') || !existsSync(LIBRARIES)) return null;
  for (const kind of readdirSync(LIBRARIES)) {
    if (!kind.endsWith('-linux-gnu')) continue;
    const libraries = join(LIBRARIES, kind);
    const version = readdirSync(libraries).find((name) => /^ejabberd-\d/.test(name));
    if (version !== undefined) return { libraries, version: version.slice('ejabberd-'.length) };
  }
  return null;
}

/** Everything is allowed, nothing is slowed down; each message of a room is archived before it is told. */
function settings(place: Place): object {
  return {
    hosts: ['localhost'],
    loglevel: 'error',
    listen: [
      {
        port: place.port,
        ip: '127.0.0.1',
        // Five by itself: those who come at once beyond it are cut off.
        backlog: 4096,
        module: 'ejabberd_http',
        request_handlers: { '/ws': 'ejabberd_http_ws' },
      },
    ],
    // Clients have names of the server's making; there are no passwords whose hashes would have to be made.
    auth_method: ['anonymous'],
    anonymous_protocol: 'sasl_anon',
    websocket_ping_interval: LONGER_THAN_A_RUN,
    websocket_timeout: LONGER_THAN_A_RUN,
    max_fsm_queue: 1_000_000,
    shaper_rules: { max_user_sessions: 10 },
    modules: {
      mod_mam: { db_type: 'mnesia', default: 'never' },
      mod_muc: {
        access: 'all',
        access_create: 'all',
        access_persistent: 'all',
        history_size: 0,
        max_users: 20_000,
        max_user_conferences: 100,
        default_room_options: { mam: true, max_users: 20_000, presence_broadcast: [], allow_private_messages: false },
      },
    },
  };
}

export const ejabberd: Contestant = {
  name: 'ejabberd',
  title: 'ejabberd, rooms with archive, not synced',
  wire: 'xmpp',
  // Archived before it is told, but Mnesia syncs its log to disk in its own time.
  stores: false,
  order: 'room',
  // Ten thousand clients who enter twenty rooms each take it longer than a whole run may.
  kinds: ['closed', 'open'],
  onNode: false,
  missing: () => (found() === null ? 'not installed (Debian package ejabberd)' : null),
  version: () => `ejabberd ${found()?.version}`,
  async start(place: Place): Promise<Started> {
    const config = join(place.dir, 'ejabberd.yml');
    // JSON is YAML.
    writeFileSync(config, JSON.stringify(settings(place)));
    const machine = ['+K', 'true', '+P', '1000000', '+Q', '65536', '+S', '1:1'];
    // It has one core: looking for work in a loop would be counted as work.
    const calm = ['+sbwt', 'none', '+sbwtdcpu', 'none', '+sbwtdio', 'none'];
    const data = ['-mnesia', 'dir', JSON.stringify(join(place.dir, 'mnesia'))];
    const child = start('erl', [...machine, ...calm, '-noinput', ...data, '-s', 'ejabberd'], {
      core: place.core,
      cwd: place.dir,
      env: {
        HOME: place.dir,
        ERL_LIBS: found()?.libraries ?? '',
        ERL_CRASH_DUMP_BYTES: '0',
        EJABBERD_CONFIG_PATH: config,
        EJABBERD_LOG_PATH: join(place.dir, 'ejabberd.log'),
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    return { child, rooms: roomNames(place), tokens: [] };
  },
};
