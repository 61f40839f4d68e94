/** Importing this file runs the process's own command line; `bin/torchts` does so. */

import { ignoreClosedPipes, processIo } from './io.ts';
import { run } from './run.ts';

ignoreClosedPipes(process.stdout, process.stderr);
process.exitCode = await run(process.argv.slice(2), processIo());
