/** Importing this file runs the process's own command line; `bin/torchts` does so. */

import { EXIT } from './exit.ts';
import { ignoreClosedPipes, processIo } from './io.ts';
import { run } from './run.ts';

ignoreClosedPipes(process.stdout, process.stderr);
const code = await run(process.argv.slice(2), processIo());
process.exitCode = code;
// What a stopped command had begun, such as reading data, may be under way for a while yet.
if (code === EXIT.SIGINT || code === EXIT.SIGTERM) {
  process.stdout.write('', () => process.exit(code));
}
