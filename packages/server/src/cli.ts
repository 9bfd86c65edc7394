#!/usr/bin/env node
/** The command line `natter`. Exit codes: 0 done, 1 failed or differences found, 2 wrong usage or settings. */
import './stack-traces.js';
import { run } from './cli/program.js';

process.exitCode = await run(process.argv.slice(2));
