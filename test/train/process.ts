/** `torchts train` as a process of its own, on data of the test's own making. */

import { type ChildProcess, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '../io/temporary-folder.ts';

const COMMAND = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/**
 * A folder with `net.yaml`: 8 batches of 2 an epoch, and as many of validation data.
 *
 * @param body of the data set's class: `get`, `load`; `this.held_out` is true for validation data.
 * @param width of the hidden layer.
 */
export async function projectOf(body: string, width = 4): Promise<string> {
  const folder = await temporaryFolder();
  await writeFile(
    join(folder, 'data.ts'),
    `const busy = (ms: number) => {
  for (const end = performance.now() + ms; performance.now() < end; );
};
class Numbers {
  readonly input = { dtype: 'float32', shape: [4] } as const;
  readonly target = { dtype: 'float32', shape: [1] } as const;
  readonly classes = [];
  readonly length = 16;
  held_out = false;
  ${body}
}
export class Train extends Numbers {}
export class Val extends Numbers {
  override held_out = true;
}
`,
  );
  await writeFile(
    join(folder, 'net.yaml'),
    `data:
  train: { type: './data.ts#Train' }
  val: { type: './data.ts#Val' }
  batch_size: 2
model:
  type: Sequential
  layers: [{ type: Linear, out_features: ${width} }, ReLU, { type: Linear, out_features: 1 }]
loss: MSELoss
optimizer: { type: SGD, lr: 0.01, momentum: 0.9 }
trainer: { epochs: 50, log_every: 1 }
`,
  );
  return folder;
}

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  readonly seconds: number;
}

/**
 * Trains in `folder`; `act` is called with the process whenever it has said something, until it
 * returns true.
 *
 * @param prefix a command line of a shell that comes before, such as `ulimit -f 8`.
 */
export async function trainIn(
  folder: string,
  args: readonly string[] = [],
  {
    act,
    prefix = 'true',
  }: { act?: (said: string, child: ChildProcess) => boolean; prefix?: string } = {},
): Promise<Ended> {
  const command = `${prefix}; exec "$0" "$@"`;
  const all = [COMMAND, 'train', 'net.yaml', '--out', 'runs', '--threads', '1', ...args];
  const start = performance.now();
  const child = spawn('sh', ['-c', command, process.execPath, ...all], { cwd: folder });
  let out = '';
  let err = '';
  let acted = act === undefined;
  child.stdout.setEncoding('utf8').on('data', (text) => {
    out += text;
    if (!acted) acted = act!(out, child);
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    err += text;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject).on('close', resolve);
  });
  return { code, out, err, seconds: (performance.now() - start) / 1000 };
}
