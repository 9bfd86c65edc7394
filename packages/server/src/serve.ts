/** One server from start to stop: what `npm start` and `natter serve` run. */
import { type App, openApp } from './app.js';
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
  const open = async (port: number): Promise<App | null> => {
    try {
      return await openApp({ ...config, port }, { logger, ...(post ? { colleagues: post.colleagues } : {}) });
    } catch (error) {
      process.stderr.write(`natter: ${startProblem(error as NodeJS.ErrnoException, config)}\n`);
      logger.debug({ err: error }, 'could not start');
      return null;
    }
  };
  let app = await open(config.port);
  if (!app) return 1;
  // Before it is said that it is ready: whoever waits for that may end it at once.
  const signals: readonly NodeJS.Signals[] = post?.signals ?? ['SIGINT', 'SIGTERM'];
  const asked = new Promise<string>((resolve) => {
    for (const name of signals) process.once(name, () => resolve(name));
    post?.onAlone(() => resolve('the first process is gone'));
  });
  if (post) post.ready(app.url);
  else {
    process.stdout.write(
      `\n  Natter ${VERSION} is ready at ${app.url}\n  API: ${app.url}/docs   data: ${config.dataDir}\n\n`,
    );
  }

  for (;;) {
    const why = await Promise.race([asked, app.outlived]);
    if (why !== undefined) {
      logger.info({ why }, 'stopping: clients are told to come back');
      break;
    }
    logger.warn('the database was restored while it was out of reach: clients are told to come back, to its new life');
    const { port } = app;
    await app.close();
    app = await open(port);
    if (!app) return 1;
    logger.warn('another life of the log was taken up');
  }
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
