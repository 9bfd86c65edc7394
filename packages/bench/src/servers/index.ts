/** All contestants, in the order of the tables. */
import { mosquitto, nats } from './brokers.js';
import { natter } from './natter.js';
import { socketIo, ws, wsFramed } from './node-peers.js';
import type { Contestant } from './server.js';

export const CONTESTANTS: readonly Contestant[] = [natter, socketIo, ws, wsFramed, nats, mosquitto];
