/** All contestants, in the order of the tables. */
import { mosquitto, nats } from './brokers.js';
import { ejabberd } from './ejabberd.js';
import { fastapi } from './fastapi.js';
import { dialects, natter, onPostgres, withoutDialects } from './natter.js';
import { bareWrites, socketIo, ws, wsFramed } from './node-peers.js';
import type { Contestant } from './server.js';

export const CONTESTANTS: readonly Contestant[] = [
  natter,
  withoutDialects,
  ...dialects,
  ...onPostgres,
  socketIo,
  ws,
  wsFramed,
  nats,
  mosquitto,
  ejabberd,
  fastapi,
  bareWrites,
];
