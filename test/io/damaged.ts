/** Damages files: a reader may refuse what comes out, or read other values, but nothing else. */

import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect } from 'vitest';
import { ConfigError, FileError } from '../../src/base/errors.ts';
import { philox4x32 } from '../../src/base/philox.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface Damage {
  /** How often bytes are changed, and the file is cut. */
  readonly changes?: number;
  readonly cuts?: number;
  readonly cutsAreRefused?: boolean;
  /** Where damaged files are put: beside others that belong to them. */
  readonly target?: string;
}

/**
 * Calls `read` with `file` cut at many places, and with bytes changed at many others; expects that
 * it throws nothing but what a user can do something about, and that cut files are refused.
 */
export async function expectRobust(
  file: string,
  read: (path: string) => unknown,
  { changes = 200, cuts = 60, cutsAreRefused = true, target }: Damage = {},
): Promise<void> {
  const path = target ?? join(await temporaryFolder(), basename(file));
  const whole = await readFile(file);
  const attempt = async (bytes: Uint8Array, what: string): Promise<unknown> => {
    await writeFile(path, bytes);
    try {
      await read(path);
      return undefined;
    } catch (error) {
      const isKnown = error instanceof FileError || error instanceof ConfigError;
      if (!isKnown) expect.fail(`${what}: ${(error as Error).stack}`);
      expect((error as Error).message).not.toContain('\n');
      return error;
    }
  };
  expect(await attempt(whole, 'the file itself')).toBeUndefined();
  for (let i = 0; i < cuts; i++) {
    const length = Math.floor((whole.length * i) / cuts);
    const error = await attempt(whole.subarray(0, length), `cut at ${length}`);
    if (cutsAreRefused) expect(error, `cut at ${length}`).toBeDefined();
  }
  for (let i = 0; i < changes; i++) {
    const [place, value, count] = philox4x32([i, 0, 0, 0], [whole.length, 1]);
    const bytes = Uint8Array.from(whole);
    // Half of them near the beginning, where headers are.
    const reach = i % 2 === 0 ? Math.min(256, bytes.length) : bytes.length;
    for (let j = 0; j <= count % 3; j++)
      bytes[(place + j * 97) % reach] = (value >>> (8 * j)) & 255;
    await attempt(bytes, `change ${i}`);
  }
}
