/** Where a run happened: what its `env.json` says, so that a result can be explained later. */

import { execFile } from 'node:child_process';
import os from 'node:os';
import { promisify } from 'node:util';
import { version } from '../base/version.ts';
import { engine, engineInfo, threads } from '../core/device.ts';

export interface Environment {
  readonly torchts: string;
  readonly node: string;
  readonly platform: string;
  readonly engine: string;
  readonly cpu: string;
  /** The instruction set of the kernels in use, and oneDNN's version; null where unknown. */
  readonly isa: string | null;
  readonly onednn: string | null;
  readonly threads: number;
  readonly seed: number;
  /** The commit of the working directory, null outside of git. */
  readonly git: { readonly commit: string; readonly changed: boolean } | null;
}

export async function environment(seed: number): Promise<Environment> {
  const git = gitState();
  const info = engineInfo();
  return {
    torchts: version(),
    node: process.version,
    platform: `${os.platform()} ${os.release()} ${os.arch()}`,
    engine: engine().name,
    cpu: os.cpus()[0]?.model ?? 'unknown',
    isa: info.available ? info.isa : null,
    onednn: info.available ? info.onednn : null,
    threads: threads(),
    seed,
    git: await git,
  };
}

async function gitState(): Promise<Environment['git']> {
  const args = ['status', '--porcelain=v2', '--branch', '--untracked-files=no'];
  try {
    const { stdout } = await promisify(execFile)('git', args, { timeout: 2000 });
    // Lines about the branch, which begin with #, then one for each file that has changed.
    const commit = /^# branch\.oid ([0-9a-f]+)$/m.exec(stdout)?.[1];
    return commit === undefined ? null : { commit, changed: /^[^#]/m.test(stdout) };
  } catch {
    return null; // no git, no repository, or it takes too long
  }
}
