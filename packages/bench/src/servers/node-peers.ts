/** The peers on Node: socket.io, and `ws` in two ways. Their programs are in src/peers. */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { start } from '../children.js';
import { BEHIND } from '../works.js';
import { type Contestant, type Place, roomNames, type Started } from './server.js';

const require = createRequire(import.meta.url);

function packageVersion(name: string): string | null {
  try {
    return (require(`${name}/package.json`) as { version: string }).version;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return null;
    throw error;
  }
}

interface Peer {
  name: string;
  title: string;
  wire: 'plain' | 'socket-io';
  module: string;
  program: string;
  env?: Record<string, string>;
  kinds?: Contestant['kinds'];
}

function nodePeer(peer: Peer): Contestant {
  return {
    name: peer.name,
    title: peer.title,
    wire: peer.wire,
    stores: false,
    order: 'room',
    onNode: true,
    ...(peer.kinds ? { kinds: peer.kinds } : {}),
    missing: () => (packageVersion(peer.module) === null ? `npm package ${peer.module} is not installed` : null),
    version: () => `${peer.module} ${packageVersion(peer.module)}`,
    async start(place: Place): Promise<Started> {
      const program = fileURLToPath(new URL(`../peers/${peer.program}`, import.meta.url));
      const child = start(process.execPath, [...place.nodeOptions, program], {
        core: place.core,
        env: { PORT: String(place.port), NODE_ENV: 'production', NONCE: place.nonce, ...peer.env },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      return { child, rooms: roomNames(place), tokens: [] };
    },
  };
}

export const socketIo = nodePeer({
  name: 'socket.io',
  title: 'socket.io',
  wire: 'socket-io',
  module: 'socket.io',
  program: 'socket-io-server.js',
});

export const ws = nodePeer({
  name: 'ws',
  title: '`ws`, send() per socket',
  wire: 'plain',
  module: 'ws',
  program: 'ws-server.js',
  env: { FRAMED: '0' },
});

export const wsFramed = nodePeer({
  name: 'ws-framed',
  title: '`ws`, framed once, one write per socket and loop turn',
  wire: 'plain',
  module: 'ws',
  program: 'ws-server.js',
  env: { FRAMED: '1' },
});

/** Writes what clients lack when they say which rooms they were in, and does nothing else: the least that a storm can cost. */
export const bareWrites = nodePeer({
  name: 'bare-writes',
  title: 'nothing but the writes',
  wire: 'plain',
  module: 'ws',
  program: 'bare-writes.js',
  kinds: ['resume'],
  env: { BEHIND: String(BEHIND) },
});
