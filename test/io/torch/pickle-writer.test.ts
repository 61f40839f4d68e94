import { describe, expect, it } from 'vitest';
import { Unpickler } from '../../../src/io/pickle/pickle.ts';
import { pickleStateDict } from '../../../src/io/torch/pickle-writer.ts';

const plain = (value: unknown) => (Array.isArray(value) ? [...value] : value);

/** What a pickle says, with calls and storages as lists. */
function said(bytes: Uint8Array): unknown {
  const call = (name: string) => ({
    call: (args: readonly unknown[]) =>
      name === 'collections.OrderedDict' ? new Map() : [name, ...args.map(plain)],
  });
  return new Unpickler('test', bytes, {
    global: (module, name) => (name.endsWith('Storage') ? name : call(`${module}.${name}`)),
    persistent: (id) => plain(id),
  }).read();
}

describe('pickleStateDict', () => {
  it.each([
    [[], []],
    [[7], [1]],
    [
      [2, 0, 3],
      [3, 3, 1],
    ],
    [
      [1, 300, 70_000, 300],
      [6_300_000_000, 21_000_000, 300, 1],
    ],
  ])('describes a contiguous tensor of shape %j', (shape, stride) => {
    const elements = shape.reduce((product, length) => product * length, 1);
    const pickle = pickleStateDict([{ name: 'w', dtype: 'float32', shape, key: '12', elements }]);
    expect(said(pickle)).toEqual(
      new Map([
        [
          'w',
          [
            'torch._utils._rebuild_tensor_v2',
            ['storage', 'FloatStorage', '12', 'cpu', elements],
            0,
            shape,
            stride,
            false,
            new Map(),
          ],
        ],
      ]),
    );
  });
});
