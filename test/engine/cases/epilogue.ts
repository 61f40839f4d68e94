/** Kernels with an epilogue: every part alone and all together, on cases of the plain kernels. */

import {
  EPILOGUE_OPERANDS,
  EPILOGUES,
  type Epilogue,
  type KernelName,
} from '../../../src/engine/kernels.ts';
import { input, type KernelCase } from './case.ts';
import { CONV2D_CASES } from './conv2d.ts';
import { MATMUL_CASES } from './matmul.ts';

/** `plain` followed by `epilogue`. */
function withEpilogue(plain: KernelCase, epilogue: readonly Epilogue[]): KernelCase {
  const { dtype, shape } = plain.outputs[0]!;
  const { channel } = EPILOGUES[plain.kernel]!;
  const operands = epilogue.filter((part) => EPILOGUE_OPERANDS.includes(part));
  return {
    ...plain,
    name: `${plain.name}, then ${epilogue.join(' ')}`,
    attrs: { ...plain.attrs, epilogue, channel },
    inputs: [
      ...plain.inputs,
      ...operands.map((part) => input(dtype, part === 'bias' ? [shape.at(channel)!] : shape)),
    ],
  };
}

/** The same, with gelu's derivative as one more output. */
function withDerivative(plain: KernelCase): KernelCase {
  return {
    ...plain,
    name: `${plain.name} and its derivative`,
    outputs: [plain.outputs[0]!, plain.outputs[0]!],
  };
}

/** Sums of many terms differ by more than suits a function that is never larger than 1.13. */
function isShort(plain: KernelCase): boolean {
  return plain.inputs[0]!.shape.at(-1)! < 500;
}

function isGelu(part: Epilogue): boolean {
  return part.startsWith('gelu');
}

/** Each part alone, all of them with either kind of gelu, and all but `add`. */
function choicesOf(parts: readonly Epilogue[]): Epilogue[][] {
  const all = ['gelu', 'gelu_tanh'].map((kind) => parts.filter((p) => !isGelu(p) || p === kind));
  const rest = all.map((choice) => choice.filter((part) => part !== 'add'));
  return [...parts.map((part) => [part]), ...all, ...rest];
}

/** The cases that are run with epilogues, by the ends of their names. */
const PLAIN: Partial<Record<KernelName, readonly string[]>> = {
  matmul: [
    ' 3x17x64 nn float32',
    ' 130x64x17 nt float32',
    ' 17x30x45 tn float64',
    ' 3x5x6x7 nn bfloat16',
    ' 2x3x17x33x20 nn float32',
    ' 4x5x0 nn float32',
    ' 0x5x3 nn float32',
    ' 700x20x30 nn float32',
    ' 4x120x400 nt float32',
    ' 64x200x1100 nt float32',
    ' 350x70x64 nt bfloat16',
    ' 40x200x131 nn bfloat16',
  ],
  conv2d_fwd: [
    'LeNet conv1, float32',
    'LeNet conv2, float32',
    'LeNet conv2, bfloat16',
    'LeNet conv2, float64',
    '32 channels, float32',
    '32 channels, bfloat16',
    '64 channels, float32',
    'wide first layer, float32',
    'a NaN, float32',
    'odd channels, float32',
    'row kernel, float32',
    'two groups, float32',
    'empty batch, float32',
  ],
};

const ALL = [...MATMUL_CASES, ...CONV2D_CASES];

export const EPILOGUE_CASES: readonly KernelCase[] = Object.entries(PLAIN).flatMap(
  ([kernel, names]) =>
    names.flatMap((end) => {
      const plain = ALL.find(({ kernel: of, name }) => of === kernel && name.endsWith(end));
      if (plain === undefined) throw new Error(`no case of ${kernel} ends with "${end}"`);
      const choices = choicesOf(EPILOGUES[plain.kernel]!.parts);
      const distinct = new Map(choices.map((epilogue) => [epilogue.join(), epilogue]));
      return [...distinct.values()].flatMap((epilogue) => {
        const found = withEpilogue(plain, epilogue);
        return epilogue.some(isGelu) && isShort(plain) ? [found, withDerivative(found)] : [found];
      });
    }),
);
