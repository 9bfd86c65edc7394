/** All wires by name. */
import type { Wire } from '../wire.js';
import { chatService, mulChat, realTimeChat, simpleChat, streamlitChat } from './dialects.js';
import { mqtt } from './mqtt.js';
import { nats } from './nats.js';
import { natter } from './natter.js';
import { plain } from './plain.js';
import { socketIo } from './socket-io.js';
import { xmpp } from './xmpp.js';

export const WIRES = {
  natter,
  'natter-000': mulChat,
  'natter-001': realTimeChat,
  'natter-002': chatService,
  'natter-003': streamlitChat,
  'natter-004': simpleChat,
  plain,
  'socket-io': socketIo,
  nats,
  mqtt,
  xmpp,
} as const satisfies Record<string, Wire>;
export type WireName = keyof typeof WIRES;
