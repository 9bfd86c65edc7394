/** Structured logs, with whatever is secret taken out before it is written. */
import { type DestinationStream, type Logger, pino } from 'pino';
import type { LogLevel } from './config.js';

export type { Logger } from 'pino';

/** Members that hold secrets, at the places where requests, commands and errors carry them. */
const SECRETS = [
  'password',
  'newPassword',
  'token',
  'accessToken',
  'refreshToken',
  'access_token',
  'refresh_token',
  'authorization',
  'cookie',
  'secretKey',
  'jwt',
];

const AT = ['', '*.', '*.*.', 'req.headers.', 'req.body.', 'res.headers.'];

/** Tokens travel in the addresses of some APIs: what stands after these names is not written. */
const IN_URL = /([?&](?:token|access_token|refresh_token|jwt|password)=)[^&#\s]*/gi;
/** A path part that is a JWT. */
const JWT_IN_PATH = /\/eyJ[\w-]*\.[\w-]*\.[\w-]*/g;

/** An address as it may be logged. */
function redactUrl(url: string): string {
  return url.replace(IN_URL, '$1[redacted]').replace(JWT_IN_PATH, '/[redacted]');
}

export function makeLogger(level: LogLevel, destination?: DestinationStream): Logger {
  const options = {
    level,
    redact: {
      paths: [...AT.flatMap((at) => SECRETS.map((name) => `${at}${name}`)), 'req.headers["set-cookie"]'],
      censor: '[redacted]',
    },
    formatters: { level: (label: string) => ({ level: label }) },
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: {
      err: pino.stdSerializers.err,
      req: (request: { id?: unknown; method?: string; url?: string; ip?: string }) => ({
        id: request.id,
        method: request.method,
        url: redactUrl(request.url ?? ''),
        address: request.ip,
      }),
      res: (reply: { statusCode?: number }) => ({ status: reply.statusCode }),
    },
  };
  return destination ? pino(options, destination) : pino(options);
}
