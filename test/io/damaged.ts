/** Damages files: a reader may refuse what comes out, or read other values, but nothing else. */

import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
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

/** What a reader may take for a file of a few kilobytes, on a machine that is busy. */
const MOST_MS = 4_000;
const MOST_BYTES = 256 * 2 ** 20;

/**
 * Calls `read` with `file` cut at many places, and with bytes changed at many others; expects that
 * it throws nothing but what a user can do something about, in one line that names the file (or,
 * with `target`, one beside it), that it takes little time and memory, and that cut files are
 * refused.
 */
export async function expectRobust(
  file: string,
  read: (path: string) => unknown,
  { changes = 200, cuts = 60, cutsAreRefused = true, target }: Damage = {},
): Promise<void> {
  const path = target ?? join(await temporaryFolder(), basename(file));
  const named = target === undefined ? basename(file) : basename(dirname(target));
  const whole = await readFile(file);
  const attempt = async (bytes: Uint8Array, what: string): Promise<unknown> => {
    writeFileSync(path, bytes);
    const before = process.memoryUsage().arrayBuffers;
    const start = performance.now();
    const error = await outcome(() => read(path));
    expect(performance.now() - start, what).toBeLessThan(MOST_MS);
    expect(process.memoryUsage().arrayBuffers - before, what).toBeLessThan(MOST_BYTES);
    if (error === undefined) return undefined;
    const isKnown = error instanceof FileError || error instanceof ConfigError;
    if (!isKnown) expect.fail(`${what}: ${(error as Error).stack}`);
    expect(error.message, what).not.toContain('\n');
    expect(error.message, what).toContain(named);
    return error;
  };
  expect(await attempt(whole, 'the file itself')).toBeUndefined();
  for (let i = 0; i < cuts; i++) {
    const length = Math.floor((whole.length * i) / cuts);
    const error = await attempt(whole.subarray(0, length), `cut at ${length}`);
    if (cutsAreRefused) expect(error, `cut at ${length}`).toBeDefined();
  }
  for (let i = 0; i < changes; i++) await attempt(changed(whole, i), `change ${i}`);
  writeFileSync(path, whole);
}

async function outcome(body: () => unknown): Promise<unknown> {
  try {
    await body();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** What sizes and offsets are made: beyond the file, beyond 31 bits, beyond 53. */
const HUGE = [0xffffffffn, 0x7fffffffn, 0x80000000n, 2n ** 63n - 1n, 2n ** 40n, 0n];

/** `whole` changed in the way of number `i`, always the same. */
function changed(whole: Uint8Array, i: number): Uint8Array {
  const [random, value, count] = philox4x32([i, 0, 0, 0], [whole.length, 1]);
  // A third of them near the beginning and near the end, where headers are.
  const reach = Math.min(256, whole.length);
  const place = [random % reach, whole.length - 1 - (random % reach), random % whole.length][
    i % 3
  ]!;
  const kind = Math.floor(i / 3) % 5;
  const bytes = Buffer.from(whole);
  if (kind === 0) bytes[place]! ^= 1 << (value % 8);
  else if (kind === 1) {
    for (let j = 0; j <= count % 3; j++) bytes[(place + j * 97) % bytes.length] = value >>> (8 * j);
  } else if (kind === 2) {
    const word = HUGE[value % HUGE.length]!;
    const at = Math.min(place, Math.max(0, bytes.length - 8));
    if (bytes.length < 8) return bytes;
    if (word >= 2n ** 32n)
      count % 2 ? bytes.writeBigInt64BE(word, at) : bytes.writeBigInt64LE(word, at);
    else count % 2 ? bytes.writeUInt32BE(Number(word), at) : bytes.writeUInt32LE(Number(word), at);
  } else if (kind === 3) {
    return Buffer.concat([bytes.subarray(0, place), bytes.subarray(place + 1 + (count % 16))]);
  } else {
    const inserted = Buffer.alloc(1 + (count % 16), value);
    return Buffer.concat([bytes.subarray(0, place), inserted, bytes.subarray(place)]);
  }
  return bytes;
}
