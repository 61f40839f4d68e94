/** Recurrent layers: one direction of one layer. */

import type { Tensor } from '../../../src/index.ts';
import { lstm } from '../../../src/ops/recurrent.ts';
import { bf16, f32, f64, type OpCase, opCase } from '../case.ts';
import { TORCH_VIEWED, viewed } from './pointwise.ts';

type Options = NonNullable<Parameters<typeof lstm>[3]>;

function run(options: Options) {
  return (gx: Tensor, weight: Tensor, h: Tensor, c: Tensor) => {
    const [output, [hn, cn]] = lstm(gx, weight, [h, c], options);
    return [output, hn, cn];
  };
}

/**
 * PyTorch's LSTM over `gx` itself: the input weights are the identity, and there is no bias. It has
 * no reversed direction alone, so steps are turned around it.
 */
function torch({ batch_first = false, reverse = false }: Options, gx = 'a'): string {
  const flip = (x: string) => (reverse ? `torch.flip(${x}, [${batch_first ? 1 : 0}])` : x);
  const weights = `torch.eye(${gx}.shape[2], dtype=${gx}.dtype), b`;
  const states = 'c.unsqueeze(0), d.unsqueeze(0)';
  const call =
    `torch.lstm(${flip(gx)}, (${states}), (${weights}), ` +
    `False, 1, 0.0, False, False, ${batch_first ? 'True' : 'False'})`;
  return `(lambda r: (${flip('r[0]')}, r[1][0], r[2][0]))(${call})`;
}

function sequence(
  detail: string,
  [gx, ...others]: Parameters<typeof opCase>[2],
  options: Options = {},
) {
  return opCase('lstm', detail, [gx!, ...others], run(options), { torch: torch(options) });
}

export const RECURRENT: readonly OpCase[] = [
  sequence('steps first', [f32(2, 2, 4), f32(4, 1), f32(2, 1), f32(2, 1)]),
  sequence('batch first', [f64(2, 2, 4), f64(4, 1), f64(2, 1), f64(2, 1)], { batch_first: true }),
  sequence('reverse', [f32(2, 1, 8), f32(8, 2), f32(1, 2), f32(1, 2)], { reverse: true }),
  sequence('reverse, batch first', [f32(1, 2, 8), f32(8, 2), f32(1, 2), f32(1, 2)], {
    batch_first: true,
    reverse: true,
  }),
  sequence('one step', [f32(1, 1, 4), f32(4, 1), f32(1, 1), f32(1, 1)]),
  opCase(
    'lstm',
    'viewed',
    [f32(3, 1, 4), f32(4, 1), f32(1, 1), f32(1, 1)],
    (gx, ...others) =>
      run({})(viewed(gx).reshape([3, 1, 4]), ...(others as [Tensor, Tensor, Tensor])),
    { torch: torch({}, `${TORCH_VIEWED('a')}.reshape(3, 1, 4)`) },
  ),
  sequence('bfloat16', [bf16(2, 1, 4), bf16(4, 1), bf16(1, 1), bf16(1, 1)]),
];
