/** Convolutions over one and three dimensions, and transposed ones: what is made of the rows. */

import { nn, type Tensor } from '../../../src/index.ts';
import { bf16, f32, f64, type OpCase, opCase, type Slot } from '../case.ts';

const { conv1d, conv3d, convTranspose1d, convTranspose2d, convTranspose3d } = nn.functional;
const { fold, unfold } = nn.functional;

type Options = Pick<nn.ConvTransposeOptions, 'stride' | 'padding' | 'dilation' | 'groups'>;
type Convolve = (x: Tensor, w: Tensor, b: Tensor | null, options: object) => Tensor;

const convolution =
  (name: string, convolve: Convolve) =>
  (detail: string, options: Options & { output_padding?: number }, ...slots: Slot[]) => {
    const keywords = Object.entries(options).map(
      ([key, value]) => `, ${key}=${JSON.stringify(value)}`,
    );
    return opCase(name, detail, slots, (x, w, b) => convolve(x!, w!, b ?? null, options), {
      torch: `F.${name}(a, b${slots.length === 3 ? ', c' : ''}${keywords.join('')})`,
    });
  };

const one = convolution('conv1d', conv1d);
const three = convolution('conv3d', conv3d);
const back1 = convolution('conv_transpose1d', convTranspose1d);
const back2 = convolution('conv_transpose2d', convTranspose2d);
const back3 = convolution('conv_transpose3d', convTranspose3d);

export const CONVOLUTIONS: readonly OpCase[] = [
  one(
    'every option',
    { stride: 2, padding: 2, dilation: 2, groups: 2 },
    f32(2, 4, 7),
    f32(2, 2, 3),
    f32(2),
  ),
  one('without a batch', {}, f32(2, 5), f32(3, 2, 2)),
  one('an empty batch', {}, f32(0, 2, 5), f32(3, 2, 2)),
  one('bfloat16', { padding: 1 }, bf16(1, 2, 4), bf16(1, 2, 3)),
  three('plain', {}, f32(1, 2, 3, 3, 2), f32(2, 2, 2, 2, 1), f32(2)),
  three(
    'strides',
    { stride: [2, 1, 2], padding: [1, 0, 1] },
    f32(1, 1, 4, 2, 3),
    f32(1, 1, 3, 2, 2),
  ),
  three(
    'dilated groups',
    { dilation: [2, 1, 1], groups: 2 },
    f32(1, 2, 3, 2, 2),
    f32(2, 1, 2, 1, 2),
  ),
  three('without a batch', {}, f32(1, 2, 2, 2), f32(1, 1, 2, 1, 1)),
  three('an empty batch', {}, f32(0, 1, 2, 2, 2), f32(1, 1, 2, 1, 1)),
  three('float64', { padding: 1 }, f64(1, 1, 2, 1, 2), f64(1, 1, 2, 3, 2)),
  three('bfloat16', {}, bf16(1, 1, 2, 1, 2), bf16(1, 1, 2, 1, 1)),
  back1(
    'every option',
    { stride: 2, padding: 1, output_padding: 1, groups: 2, dilation: 2 },
    f32(1, 2, 3),
    f32(2, 2, 2),
    f32(4),
  ),
  back1(
    'more output padding than stride',
    { output_padding: 1, dilation: 2 },
    f32(1, 1, 3),
    f32(1, 1, 2),
  ),
  back2('strides', { stride: [2, 3], padding: 1 }, f32(1, 2, 2, 3), f32(2, 1, 3, 2), f32(1)),
  back2(
    'more output padding than stride',
    { padding: 2, output_padding: 2, dilation: 3 },
    f32(1, 1, 2, 3),
    f32(1, 2, 2, 2),
  ),
  back2('without a batch', {}, f32(2, 2, 2), f32(2, 1, 2, 2)),
  back2('an empty batch', { stride: 2 }, f32(0, 1, 2, 2), f32(1, 2, 2, 2)),
  back3(
    'every option',
    { stride: [2, 1, 2], padding: 1, dilation: [1, 2, 1], groups: 2 },
    f32(1, 2, 2, 3, 2),
    f32(2, 1, 3, 2, 2),
    f32(2),
  ),
  back3('output padding', { stride: 2, output_padding: 1 }, f32(1, 1, 2, 1, 2), f32(1, 1, 2, 1, 1)),
  back3('bfloat16', {}, bf16(1, 1, 2, 1, 2), bf16(1, 1, 2, 1, 1)),
  opCase(
    'sliding_windows',
    'patches',
    [f32(2, 2, 4, 3)],
    (x) => unfold(x, 2, { stride: [2, 1], padding: 1 }),
    { torch: 'F.unfold(a, 2, stride=(2, 1), padding=1)' },
  ),
  opCase(
    'sliding_windows',
    'patches added',
    [f32(1, 4, 6)],
    (x) => fold(x, 3, 2, { dilation: [2, 1], padding: [1, 0] }),
    { torch: 'F.fold(a, (3, 3), 2, dilation=(2, 1), padding=(1, 0))' },
  ),
];
