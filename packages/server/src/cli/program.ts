/** The commands of `natter`, their options and their help. */
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { DataDirInUseError } from '../admin/lock.js';
import { loadConfig } from '../config.js';
import { VERSION } from '../version.js';
import * as commands from './commands.js';
import { backup, move, restore } from './copies.js';
import { doctor } from './doctor.js';
import { makeNatsKeys } from './nats-keys.js';
import { Printer } from './print.js';
import { CliError } from './reach.js';
import { reset } from './reset.js';

const USAGE = 2;
/** More than any machine has cores. */
const WORKERS_MAX = 256;

function role(text: string): 'user' | 'admin' {
  if (text === 'user' || text === 'admin') return text;
  throw new InvalidArgumentError('A role is user or admin.');
}

function workers(text: string): number {
  const count = /^[0-9]{1,3}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= WORKERS_MAX) return count;
  throw new InvalidArgumentError(`It is a whole number from 1 to ${WORKERS_MAX}.`);
}

/** Runs one command line (without the program's name) and answers the exit code. */
export async function run(args: readonly string[]): Promise<number> {
  const printer = new Printer(process.stdout, process.stderr);
  const ending = new AbortController();
  let exitCode = 0;

  const program = new Command('natter')
    .description('Natter: a self-hosted chat server that never loses, repeats or reorders a message.')
    .version(VERSION, '-V, --version')
    .option('--data-dir <dir>', 'folder of the data; goes before DATA_DIR of the environment and .env')
    .exitOverride()
    .showHelpAfterError('(natter --help says what there is)')
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .addHelpText(
      'after',
      '\nAll commands but reset, restore and move work while the server runs, and take effect at once: they ask it through a socket in the data folder.\nExit codes: 0 done, 1 failed or differences found, 2 wrong usage or settings.',
    );

  /** A command that needs the settings. */
  const action =
    <A extends unknown[]>(work: (session: commands.Session, ...args: A) => Promise<number>) =>
    async (...given: unknown[]): Promise<void> => {
      // Commander adds the command itself behind arguments and options.
      const loaded = load();
      if (!loaded.ok) {
        for (const problem of loaded.problems) printer.problem(problem);
        exitCode = USAGE;
        return;
      }
      const stop = (): void => ending.abort(new CliError('broken off'));
      process.once('SIGINT', stop);
      process.once('SIGTERM', stop);
      const session = {
        config: loaded.config,
        printer,
        stdin: process.stdin,
        stderr: process.stderr,
        signal: ending.signal,
      };
      try {
        exitCode = await work(session, ...(given.slice(0, -1) as A));
      } finally {
        process.off('SIGINT', stop);
        process.off('SIGTERM', stop);
      }
    };
  const load = () => {
    const { dataDir } = program.opts<{ dataDir?: string }>();
    return loadConfig(undefined, undefined, dataDir === undefined ? {} : { DATA_DIR: dataDir });
  };

  program
    .command('serve')
    .description('run the server, as npm start does')
    .option(
      '--workers <count>',
      'so many processes behind one address, for several cores; needs PostgreSQL and NATS',
      workers,
      1,
    )
    .action(async ({ workers }: { workers: number }) => {
      if (workers > 1) {
        const { serveWorkers } = await import('../workers.js');
        exitCode = await serveWorkers(load(), workers);
      } else {
        const { serve } = await import('../serve.js');
        exitCode = await serve(load());
      }
    });
  program
    .command('migrate')
    .description('make the database, or bring its schema up to date')
    .action(action((session) => commands.migrate(session)));
  program
    .command('reset')
    .description('delete all accounts, rooms and messages, and begin anew; asks first, and needs the server stopped')
    .option('--yes', 'do not ask')
    .action(action(reset));

  const user = program.command('user').description('accounts');
  user
    .command('create')
    .description('make an account; asks for a password')
    .argument('<name>')
    .option('--email <address>')
    .option('--full-name <name>')
    .option('--role <role>', 'user or admin', role, 'user')
    .option('--password-stdin', 'take the first line of standard input as the password')
    .option('--no-password', 'make an account to which nobody can log in')
    .action(action(commands.createUser));
  user
    .command('role')
    .description('give an account a role')
    .argument('<name>')
    .argument('<role>', 'user or admin', role)
    .action(action((session, name: string, given: 'user' | 'admin') => commands.setRole(session, name, given)));
  user
    .command('deactivate')
    .description('end all sessions of an account, and let nobody log in to it')
    .argument('<name>')
    .action(action((session, name: string) => commands.deactivateUser(session, name)));
  user
    .command('reactivate')
    .description('let a deactivated account log in again')
    .argument('<name>')
    .action(action((session, name: string) => commands.reactivateUser(session, name)));
  user
    .command('list')
    .description('all accounts')
    .option('--placeholders', 'those that imports have made, too')
    .option('--json', 'as JSON')
    .action(action(commands.listUsers));

  const room = program.command('room').description('rooms; never what is said in them');
  room
    .command('list')
    .description('all groups and channels')
    .option('--direct', 'direct chats too')
    .option('--json', 'as JSON')
    .action(action(commands.listRooms));
  room
    .command('show')
    .description('one room')
    .argument('<room>', 'its id, or its name')
    .option('--json', 'as JSON')
    .action(action(commands.showRoom));

  const imports = program.command('import').description('bring history from elsewhere');
  imports
    .command('irc')
    .description('import IRC logs into a public channel; run again, it adds only what is missing')
    .argument('<files...>', 'logs (2004-12-25.raw.txt), or folders of them')
    .option('--room <name>', 'name of the channel (default: the one that join lines name)')
    .option('--owner <user>', 'who owns the channel (default: the first admin of the server who joins it)')
    .option('--actions', 'take actions (* nick waves) as messages (/me waves)')
    .option('--json', 'say the counts as JSON')
    .addHelpText(
      'after',
      '\nAuthors become placeholder accounts, to which nobody can log in. Joins, leaves and notices are counted, not imported.\nReply links in a file beside the log (2004-12-25.annotation.txt) become replies.',
    )
    .action(action(commands.importIrc));

  program
    .command('nats-keys')
    .description('make the keys and settings for a NATS server in operator mode (docs/nats.md)')
    .argument('<folder>', 'where they are written; it must be empty or missing')
    .action(action(makeNatsKeys));

  program
    .command('doctor')
    .description('recount everything from the log, and say every difference; works while the server runs')
    .option('--json', 'as JSON')
    .action(action(doctor));

  program
    .command('backup')
    .description('write everything, as it is now, to a file; works while the server runs')
    .argument('<file>', 'a name that is free')
    .action(action(backup));
  program
    .command('restore')
    .description('take everything from a backup, also of an older version or another store; needs the server stopped')
    .argument('<file>')
    .option('--replace', 'delete what is there; asks first')
    .option('--yes', 'do not ask')
    .action(action(restore));
  program
    .command('move')
    .description('copy everything to another store, and hold both against each other; needs the server stopped')
    .option('--from <database>', 'sqlite:<path> or postgres://… (default: DATABASE_URL)')
    .option('--to <database>', 'sqlite:<path> or postgres://… (default: DATABASE_URL)')
    .addHelpText('after', '\nBroken off, it goes on where it was when it is run again. The old place is left as it is.')
    .action(action(move));

  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
    if (error instanceof CliError) {
      printer.problem(error.message);
      return error.exitCode;
    }
    if (error instanceof DataDirInUseError) {
      printer.problem(`${error.message}. If it is a server, it does not answer on its socket.`);
      return 1;
    }
    printer.problem((error as Error).message);
    return 1;
  }
}
