/** One server from start to stop: what `npm start` and `natter serve` run. */
import { openApp } from './app.js';
import type { Loaded } from './config.js';
import { makeLogger } from './logger.js';
import { VERSION } from './version.js';
import type { Post } from './workers.js';

/** Answers the exit code: 0 stopped, 1 failed, 2 wrong settings. Without a post it speaks to the terminal. */
export async function serve(loaded: Loaded, post: Post | null = null): Promise<number> {
  if (!loaded.ok) {
    for (const problem of loaded.problems) process.stderr.write(`natter: ${problem}\n`);
    return 2;
  }
  const { config } = loaded;
  const logger = makeLogger(config.logLevel);
  if (!config.rateLimits) {
    process.stderr.write(
      '\n  LIMITS=off: no rate limit holds. This is for load tests; never run a server for people so.\n\n',
    );
    logger.warn('rate limits are off');
  }
  let app: Awaited<ReturnType<typeof openApp>>;
  try {
    app = await openApp(config, { logger });
  } catch (error) {
    process.stderr.write(`natter: ${startProblem(error as NodeJS.ErrnoException, config)}\n`);
    logger.debug({ err: error }, 'could not start');
    return 1;
  }
  // Before it is said that it is ready: whoever waits for that may end it at once.
  const signals: readonly NodeJS.Signals[] = post?.signals ?? ['SIGINT', 'SIGTERM'];
  const asked = new Promise<NodeJS.Signals>((resolve) => {
    for (const name of signals) process.once(name, () => resolve(name));
  });
  if (post) post.ready(app.url);
  else {
    process.stdout.write(
      `\n  Natter ${VERSION} is ready at ${app.url}\n  API: ${app.url}/docs   data: ${config.dataDir}\n\n`,
    );
  }

  const signal = await asked;
  logger.info({ signal }, 'stopping: clients are told to come back');
  // Whoever asks twice does not want to wait.
  for (const name of signals) process.once(name, () => process.exit(1));
  await app.close();
  logger.info('stopped');
  return 0;
}

function startProblem(error: NodeJS.ErrnoException, { host, port }: { host: string; port: number }): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return `port ${port} is in use: stop what listens there, or set PORT`;
    case 'EACCES':
      return `no permission to listen on port ${port} at ${host}, or to use DATA_DIR: ${error.message}`;
    case 'EADDRNOTAVAIL':
      return `HOST ${host} is no address of this machine`;
    default:
      return `could not start: ${error.message}`;
  }
}
