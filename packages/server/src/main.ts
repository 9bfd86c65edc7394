/** Reads the settings, runs the server, waits for a signal. Exit codes: 0 stopped, 1 failed, 2 wrong settings. */
import './stack-traces.js';
import { loadConfig } from './config.js';
import { serve } from './serve.js';
import { workerPost } from './workers.js';

const post = workerPost();
const code = await serve(loadConfig(), post);
process.exitCode = code;
post?.leave();
