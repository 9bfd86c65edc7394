/** The AsyncAPI document of the native WebSocket, made from the schemas of its frames. */
import {
  CLOSE,
  COMMAND_INPUTS,
  CommandEnvelope,
  EVENT_BODIES,
  type EventType,
  eventSchema,
  GoneFrame,
  GoodbyeFrame,
  HelloFrame,
  LiveFrame,
  PingFrame,
  PongFrame,
  PresenceSignal,
  ReadyFrame,
  ReplyFrame,
  ResetFrame,
  TypingFrame,
  TypingSignal,
  WatchFrame,
} from '@natter/protocol';
import { type TSchema, Type } from 'typebox';

interface Message {
  name: string;
  title: string;
  summary: string;
  contentType: 'application/json';
  payload: TSchema;
}

const message = (name: string, summary: string, payload: TSchema): Message => ({
  name,
  title: name,
  summary,
  contentType: 'application/json',
  payload,
});

/** `message.sent` as a key of the document. */
const key = (direction: 'in' | 'out', name: string): string => `${direction}.${name}`;

function fromClient(): [string, Message][] {
  const frames: [string, string, TSchema][] = [
    ['hello', 'The first frame: who I am, and what I have', HelloFrame],
    ['typing', 'I am typing, or stopped. Not answered', TypingFrame],
    ['presence.watch', 'Whose presence to be told of', WatchFrame],
    ['ping', 'Still here', PingFrame],
  ];
  for (const [type, input] of Object.entries(COMMAND_INPUTS)) {
    const schema = Type.Object(
      { ...CommandEnvelope.properties, type: Type.Literal(type), ...(input.properties as Record<string, TSchema>) },
      { additionalProperties: false },
    );
    frames.push([type, `The command ${type}; answered by one reply`, schema]);
  }
  return frames.map(([name, summary, schema]) => [key('in', name), message(name, summary, schema)]);
}

function fromServer(): [string, Message][] {
  const frames: [string, string, TSchema][] = [
    ['ready', 'Answer to hello', ReadyFrame],
    ['live', 'These streams are live from here', LiveFrame],
    ['reset', 'The cursor can’t be followed: read a page', ResetFrame],
    ['gone', 'The stream is not to be heard any more', GoneFrame],
    ['reply', 'Answer to a command', ReplyFrame],
    ['typing', 'Somebody is typing, or stopped', TypingSignal],
    ['presence', 'Somebody came or went', PresenceSignal],
    ['pong', 'Answer to ping', PongFrame],
    ['goodbye', 'Last words before the server closes', GoodbyeFrame],
    [
      'hidden',
      'An event about a message from before I joined a room with hidden history: its place, and nothing else',
      Type.Object({ type: Type.Literal('hidden'), stream: Type.Integer(), seq: Type.Integer() }),
    ],
  ];
  for (const type of Object.keys(EVENT_BODIES) as EventType[]) {
    frames.push([type, `The event ${type}`, eventSchema(type)]);
  }
  return frames.map(([name, summary, schema]) => [key('out', name), message(name, summary, schema)]);
}

const closeTable = Object.entries(CLOSE)
  .map(([name, { code, reconnect, text }]) => `| ${code} | ${name} | ${text} | ${reconnect ? 'yes' : 'no'} |`)
  .join('\n');

export function asyncapi(version: string): object {
  const heard = fromClient();
  const told = fromServer();
  const reference = ([name]: [string, Message]) => ({ $ref: `#/channels/socket/messages/${name}` });
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Natter: the native WebSocket',
      version,
      license: { name: 'MIT' },
      description: `One JSON object a text frame. The token stands in \`hello\`, or in the \`Authorization\` header of the upgrade; never in the URL. Within a stream event n + 1 comes after n, and once.\n\n| close code | name | meaning | come back? |\n|---|---|---|---|\n${closeTable}`,
    },
    defaultContentType: 'application/json',
    servers: { here: { host: 'localhost:8000', protocol: 'ws', description: 'Where this document came from' } },
    channels: {
      socket: {
        address: '/v1/socket',
        title: 'The socket',
        messages: Object.fromEntries(
          [...heard, ...told].map(([name]) => [name, { $ref: `#/components/messages/${name}` }]),
        ),
        bindings: { ws: { method: 'GET' } },
      },
    },
    operations: {
      hear: {
        action: 'receive',
        summary: 'Frames that the server reads',
        channel: { $ref: '#/channels/socket' },
        messages: heard.map(reference),
      },
      tell: {
        action: 'send',
        summary: 'Frames that the server writes',
        channel: { $ref: '#/channels/socket' },
        messages: told.map(reference),
      },
    },
    components: { messages: Object.fromEntries([...heard, ...told]) },
  };
}
