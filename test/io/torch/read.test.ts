import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { FileError } from '../../../src/base/errors.ts';
import type { HostTensor } from '../../../src/io/host-tensor.ts';
import { readSafetensors } from '../../../src/io/safetensors.ts';
import { readTorch } from '../../../src/io/torch/read.ts';

const FOLDER = fileURLToPath(new URL('../../fixtures/torch-files/', import.meta.url));
const { tensors } = await readSafetensors(join(FOLDER, 'expected.safetensors'));
const files = readdirSync(FOLDER).filter((name) => /\.(pt|pth|bin)$/.test(name));
const good = files.filter((name) => !name.startsWith('refused-'));

const folder = mkdtempSync(join(tmpdir(), 'torch-files-'));
afterAll(() => rmSync(folder, { recursive: true }));

const read = async (name: string) => (await readTorch(join(FOLDER, name))) as Map<string, unknown>;

describe('readTorch', () => {
  it.each(good)('reads the tensors of %s', async (name) => {
    const value = await read(name);
    const state = (value.get('model') ?? value) as Map<string, HostTensor>;
    const wanted = [...tensors].filter(([key]) => key.startsWith(`${name}:`));
    expect(wanted.length).toBeGreaterThan(0);
    expect([...state.keys()].sort()).toEqual(wanted.map(([key]) => key.split(':')[1]).sort());
    for (const [key, expected] of wanted) {
      expect(state.get(key.split(':')[1]!), key).toEqual(expected);
    }
  });

  it('reads what else a checkpoint holds', async () => {
    const value = await read('checkpoint.pt');
    expect(Object.fromEntries([...value].filter(([key]) => !/model|optimizer/.test(key)))).toEqual({
      epoch: 3,
      best: 0.25,
      name: 'run',
      done: true,
      none: null,
      big: 2n ** 70n,
      sizes: [2, 3],
      device: 'cpu',
      dtype: expect.objectContaining({ name: 'float32' }),
    });
    const optimizer = value.get('optimizer') as Map<string, Map<number, Map<string, HostTensor>>>;
    expect(optimizer.get('state')!.get(0)!.get('exp_avg')!.shape).toEqual([2, 3]);
  });

  it.each([
    [
      'refused-module.pt',
      'asks for torch.nn.modules.container.Sequential, which is no part of plain weights',
    ],
    ['refused-namespace.pt', 'asks for argparse.Namespace'],
    ['refused-complex.pt', 'asks for torch.ComplexFloatStorage'],
    ['refused-sparse.pt', 'asks for torch._utils._rebuild_sparse_tensor'],
    ['refused-script.pt', 'is a TorchScript program, which is not run'],
    ['refused-evil.pt', /asks for (posix|nt)\.system/],
    ['refused-evil-legacy.pt', /asks for (posix|nt)\.system/],
    ['refused-bomb.pt', 'its tensors have 671088640 elements, of 4 bytes in the file'],
    [
      'refused-pickle.bin',
      'is no file of torch.save: it is no zip, and does not begin as its older files do',
    ],
  ])('refuses %s in one line', async (name, message) => {
    await expect(read(name)).rejects.toThrow(message);
    const error = await read(name).catch((thrown) => thrown as Error);
    expect(error).toBeInstanceOf(FileError);
    expect((error as Error).message).not.toContain('\n');
    expect(existsSync('/tmp/torchts-was-here')).toBe(false);
  });

  it('names a file that is missing', async () => {
    await expect(readTorch('nowhere.pt')).rejects.toThrow(/cannot read nowhere.pt: ENOENT/);
  });
});

/** Reads bytes; what they hold may be anything, but the only error is a `FileError` of one line. */
async function survives(bytes: Uint8Array): Promise<boolean> {
  const path = join(folder, 'spoilt.pt');
  writeFileSync(path, bytes);
  try {
    await readTorch(path);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(FileError);
    expect((error as Error).message.split('\n')).toHaveLength(1);
    return false;
  }
}

describe('a file that is damaged', () => {
  it.each(['module.pth', 'module-legacy.pt'])('%s is refused wherever it ends', async (name) => {
    const bytes = readFileSync(join(FOLDER, name));
    for (let length = 0; length < bytes.length; length += 37) {
      expect(await survives(bytes.subarray(0, length)), `${length} bytes`).toBe(false);
    }
  });

  it.each(['views.pt', 'views-legacy.pt', 'checkpoint.pt'])(
    '%s with any byte changed is read or refused',
    async (name) => {
      const bytes = readFileSync(join(FOLDER, name));
      for (let at = 0; at < bytes.length; at += 1 + Math.floor(bytes.length / 80)) {
        const spoilt = Buffer.from(bytes);
        spoilt[at] = spoilt[at]! ^ (1 << (at % 8));
        await survives(spoilt);
      }
    },
  );
});
