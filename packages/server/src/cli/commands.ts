/** What each command of `natter` does and says. All answer the exit code. */
import { resolve } from 'node:path';
import { ERRORS, type ErrorCode } from '@natter/protocol/errors';
import type { OperationInput, OperationName } from '../admin/operations.js';
import type { Config } from '../config.js';
import type { Refusal } from '../core/actor.js';
import type { OperatorRoom, OperatorRoomDetails, OperatorUser } from '../core/queries/operator.js';
import type { IrcProgress, IrcReport } from '../transfer/irc.js';
import { askPassword, passwordFromInput } from './password.js';
import { type Printer, safe } from './print.js';
import { showProgress } from './progress.js';
import { CliError, isServing, openData, operate } from './reach.js';

export interface Session {
  config: Config;
  printer: Printer;
  stdin: NodeJS.ReadStream;
  stderr: NodeJS.WriteStream;
  signal: AbortSignal;
}

const number = new Intl.NumberFormat('en');
const day = (at: string | null): string | null => at?.slice(0, 16).replace('T', ' ') ?? null;

/** Carries out an operation; a refusal is said, and ends the command. */
async function ask<T extends OperationName>(
  { config, signal }: Session,
  operation: T,
  input: OperationInput<T>,
  options: { create?: boolean; onProgress?: (progress: unknown) => void } = {},
): Promise<unknown> {
  const answer = await operate(
    { config, create: options.create === true, signal },
    operation,
    input,
    options.onProgress,
  );
  if (!answer.ok) throw refused(answer);
  return answer.value;
}

function refused(refusal: Refusal): CliError {
  const fields = refusal.fields?.map(({ path, message }) => `${path.slice(1)} ${message}`) ?? [];
  const said = [refusal.detail, ...fields].filter((text) => text !== undefined).join('; ');
  const code: ErrorCode = refusal.code;
  return new CliError(said === '' ? ERRORS[code].title : said, code === 'invalid' ? 2 : 1);
}

export async function migrate(session: Session): Promise<number> {
  const { config, printer } = session;
  if (await isServing(config)) {
    printer.line('Nothing to do: a server runs on this data, and migrated it when it started.');
    return 0;
  }
  const { isStored, storagePlace } = await import('../storage.js');
  const existed = await isStored(config);
  const parts = await openData(config);
  await parts.close();
  printer.line(`${existed ? 'The schema is up to date' : 'Made'}: ${safe(storagePlace(config))}`);
  return 0;
}

export interface CreateOptions {
  email?: string;
  fullName?: string;
  role: 'user' | 'admin';
  passwordStdin?: boolean;
  password: boolean;
}

export async function createUser(session: Session, name: string, options: CreateOptions): Promise<number> {
  const { email, fullName, role } = options;
  const password = options.password ? await readPassword(session, options.passwordStdin === true) : null;
  const input = {
    name,
    password,
    role,
    ...(email === undefined ? {} : { email }),
    ...(fullName === undefined ? {} : { fullName }),
  };
  const made = (await ask(session, 'user.create', input, { create: true })) as { id: number };
  session.printer.line(`Made the account ${safe(name)} (id ${made.id}).`);
  return 0;
}

async function readPassword({ stdin, stderr }: Session, piped: boolean): Promise<string> {
  if (piped) return passwordFromInput(stdin);
  if (!stdin.isTTY)
    throw new CliError('there is no terminal to ask for a password: use --password-stdin or --no-password', 2);
  const password = await askPassword(stdin, stderr);
  if (password === null) throw new CliError('no password: nothing was done', 2);
  return password;
}

async function changeUser(
  session: Session,
  operation: 'user.deactivate' | 'user.reactivate',
  name: string,
  said: { changed: string; unchanged: string },
): Promise<number> {
  const { changed } = (await ask(session, operation, { name })) as { changed: boolean };
  session.printer.line(`${safe(name)} ${changed ? said.changed : said.unchanged}.`);
  return 0;
}

export async function setRole(session: Session, name: string, role: 'user' | 'admin'): Promise<number> {
  const { changed } = (await ask(session, 'user.role', { name, role })) as { changed: boolean };
  session.printer.line(`${safe(name)} ${changed ? 'has' : 'had already'} the role ${role}.`);
  return 0;
}

export function deactivateUser(session: Session, name: string): Promise<number> {
  return changeUser(session, 'user.deactivate', name, {
    changed: 'is deactivated, and all sessions have ended',
    unchanged: 'was deactivated already',
  });
}

export function reactivateUser(session: Session, name: string): Promise<number> {
  return changeUser(session, 'user.reactivate', name, { changed: 'is active again', unchanged: 'was active already' });
}

export async function listUsers(
  session: Session,
  options: { placeholders?: boolean; json?: boolean },
): Promise<number> {
  const users = (await ask(session, 'user.list', { placeholders: options.placeholders === true })) as OperatorUser[];
  const { printer } = session;
  if (options.json) {
    printer.json(users);
    return 0;
  }
  printer.table<OperatorUser>(
    [
      { title: 'ID', value: (row) => row.id },
      { title: 'NAME', value: (row) => row.name },
      { title: 'FULL NAME', value: (row) => row.fullName || null },
      { title: 'E-MAIL', value: (row) => row.email },
      { title: 'ROLE', value: (row) => row.role },
      { title: 'STATUS', value: (row) => (row.placeholder ? 'placeholder' : row.status) },
      { title: 'CREATED', value: (row) => day(row.createdAt) },
      { title: 'LAST SEEN', value: (row) => day(row.lastSeenAt) },
    ],
    users,
  );
  return 0;
}

export async function listRooms(session: Session, options: { direct?: boolean; json?: boolean }): Promise<number> {
  const rooms = (await ask(session, 'room.list', { direct: options.direct === true })) as OperatorRoom[];
  const { printer } = session;
  if (options.json) {
    printer.json(rooms);
    return 0;
  }
  printer.table<OperatorRoom>(
    [
      { title: 'ID', value: (row) => row.id },
      { title: 'KIND', value: (row) => row.kind },
      { title: 'NAME', value: (row) => row.name || null },
      { title: 'VISIBILITY', value: (row) => (row.archived ? `${row.visibility}, archived` : row.visibility) },
      { title: 'MEMBERS', value: (row) => row.members },
      { title: 'MESSAGES', value: (row) => row.messages },
      { title: 'CREATED', value: (row) => day(row.createdAt) },
      { title: 'LAST EVENT', value: (row) => day(row.lastEventAt) },
    ],
    rooms,
  );
  return 0;
}

export async function showRoom(session: Session, wanted: string, options: { json?: boolean }): Promise<number> {
  const room = (await ask(session, 'room.show', { room: wanted })) as OperatorRoomDetails;
  const { printer } = session;
  if (options.json) {
    printer.json(room);
    return 0;
  }
  printer.facts([
    ['id', room.id],
    ['kind', `${room.visibility} ${room.kind}${room.archived ? ', archived' : ''}`],
    ['name', room.name || null],
    ['topic', room.topic || null],
    ['history', room.history === 'shared' ? 'shared with who joins later' : 'from joining on'],
    ['made by', room.dialect === '' ? room.createdBy : `${room.createdBy ?? '–'} through ${room.dialect}`],
    ['created', day(room.createdAt)],
    ['last event', day(room.lastEventAt)],
    ['messages', number.format(room.messages)],
    ['events', number.format(room.head)],
    ['members', number.format(room.members)],
    ...room.owners.map(({ name, role }) => [role, name] as const),
  ]);
  return 0;
}

export interface ImportOptions {
  room?: string;
  owner?: string;
  actions?: boolean;
  json?: boolean;
}

export async function importIrc(session: Session, files: readonly string[], options: ImportOptions): Promise<number> {
  const { printer, stderr } = session;
  const { room, owner, actions } = options;
  const progress = showProgress('importing', stderr);
  let report: IrcReport;
  try {
    report = (await ask(
      session,
      'import.irc',
      {
        paths: files.map((file) => resolve(file)),
        ...(room === undefined ? {} : { room }),
        ...(owner === undefined ? {} : { owner }),
        ...(actions === undefined ? {} : { actions }),
      },
      {
        create: true,
        onProgress: (value) => {
          const { bytes, ofBytes, messages, file } = value as IrcProgress;
          progress.update(bytes, ofBytes, `${number.format(messages)} messages, ${safe(file)}`);
        },
      },
    )) as IrcReport;
  } finally {
    progress.stop();
  }
  if (options.json) printer.json(report);
  else printImport(printer, report);
  return report.made.changed > 0 ? 1 : 0;
}

function printImport(printer: Printer, { room, files, lines, made, authors, links, text, seconds }: IrcReport): void {
  const count = (value: number): string => number.format(value);
  printer.line(
    `${room.made ? 'Made' : 'Went on with'} the channel ${safe(room.name)} (id ${room.id}) from ${count(files)} files.`,
  );
  printer.line();
  printer.facts([
    ['lines', count(lines.read)],
    ['  messages', `${count(lines.messages)} by ${count(authors)} nicknames`],
    [
      '  join, leave, nick',
      `${count(lines.joins + lines.leaves + lines.nicks + lines.system)} (${count(lines.joins)} joins, ${count(lines.leaves)} leaves, ${count(lines.nicks)} nicks, ${count(lines.system)} modes and the like): not imported`,
    ],
    [
      '  others',
      `${count(lines.actions + lines.notices + lines.other)} (${count(lines.actions)} actions, ${count(lines.notices)} notices, ${count(lines.other)} of no known form)`,
    ],
    [
      'reply links',
      `${count(links.read)} (${count(links.further)} further parents, ${count(links.unusable)} from or to what is no message${links.unread > 0 ? `, and ${count(links.unread)} lines that are no links` : ''})`,
    ],
    [
      'imported',
      `${count(made.messages)} messages (${count(made.replies)} of them replies), ${count(made.authors)} accounts`,
    ],
    ['known before', count(made.known)],
    [
      'changed since',
      made.changed === 0
        ? '0'
        : `${count(made.changed)} lines have another text than when they were imported: left as they were`,
    ],
    [
      'texts',
      `${count(text.empty)} empty, ${count(text.replaced)} with replaced characters, ${count(text.shortened)} shortened`,
    ],
    [
      'time',
      `${seconds.searchable.toFixed(1)} s until searchable: ${count(Math.round((made.messages + made.known) / seconds.searchable))} messages/s`,
    ],
  ]);
  if (room.made) printer.line('\nAn admin of the server who joins the channel owns it, unless --owner was given.');
}
