/** All contestants, in the order of the tables. */
import { mosquitto, nats } from './brokers.js';
import { dialects, natter } from './natter.js';
import { socketIo, ws, wsFramed } from './node-peers.js';
import type { Contestant } from './server.js';

export const CONTESTANTS: readonly Contestant[] = [natter, ...dialects, socketIo, ws, wsFramed, nats, mosquitto];
