/** Pointwise ops. */

import { category, type DType } from '../../base/dtype.ts';
import type { GraphBuilder } from '../builder.ts';
import type { Call, Translator, Translators } from '../translator.ts';
import { withBias } from './bias.ts';

const one =
  (op_type: string): Translator =>
  (call, builder) =>
    builder.emit(op_type, call.inputs);

/** ONNX has few kernels for uint8 and bool: they are computed as int32. */
const NARROW: readonly DType[] = ['uint8', 'bool'];

/** Numbers of a dtype that runtimes compute in. */
const arithmetic =
  (op_type: string, attribute = {}): Translator =>
  (call, builder) => {
    const { dtype } = call.type(0);
    if (!NARROW.includes(dtype)) return builder.emit(op_type, call.inputs, attribute);
    const wide = call.inputs.map((input) => builder.cast(input, 'int32'));
    return builder.cast(builder.emit(op_type, wide, attribute), call.output.dtype);
  };

const comparison =
  (op_type: string, negated = false): Translator =>
  (call, builder) => {
    const isNarrow = NARROW.includes(call.type(0).dtype);
    const operands = isNarrow ? call.inputs.map((x) => builder.cast(x, 'int32')) : call.inputs;
    const result = builder.emit(op_type, operands);
    return negated ? builder.emit('Not', [result]) : result;
  };

const truth = (builder: GraphBuilder, x: string, dtype: DType) =>
  dtype === 'bool' ? x : builder.cast(x, 'bool');

const logical =
  (op_type: string): Translator =>
  (call, builder) =>
    builder.emit(
      op_type,
      call.inputs.map((x, i) => truth(builder, x, call.type(i).dtype)),
    );

/** Of whole numbers nothing is left to be rounded. */
const rounding =
  (op_type: string): Translator =>
  (call, builder) =>
    category(call.type(0).dtype) === 'floating'
      ? builder.emit(op_type, call.inputs)
      : call.input(0);

/** Floating-point functions by others: `f` is given `x` and makers of constants and nodes. */
type Formula = (
  f: {
    number(value: number): string;
    emit(op_type: string, ...input: string[]): string;
  },
  ...x: string[]
) => string;

const formula =
  (write: Formula): Translator =>
  (call, builder) => {
    const { dtype } = call.type(0);
    const f = {
      number: (value: number) => builder.scalar(dtype, value),
      emit: (op_type: string, ...input: string[]) => builder.emit(op_type, input),
    };
    return write(f, ...call.inputs);
  };

const logarithm = (base: number): Translator =>
  formula((f, x) => f.emit('Mul', f.emit('Log', x), f.number(1 / Math.log(base))));

/** ONNX has GELU from version 20 on. */
const gelu =
  (approximate: 'none' | 'tanh', otherwise: Formula): Translator =>
  (call, builder) =>
    builder.opset_version >= 20
      ? builder.emit('Gelu', call.inputs, { approximate })
      : formula(otherwise)(call, builder);

const halfOf = (f: Parameters<Formula>[0], x: string, share: string) =>
  f.emit('Mul', f.emit('Mul', x, f.number(0.5)), f.emit('Add', share, f.number(1)));

/** Where whole numbers have an operator of another name. */
const byCategory =
  (ofBool: string, ofIntegers: string): Translator =>
  (call, builder) =>
    builder.emit(call.type(0).dtype === 'bool' ? ofBool : ofIntegers, call.inputs);

function quotientAngle(f: Parameters<Formula>[0], y: string, x: string): string {
  const zero = f.number(0);
  const half = f.emit('Where', f.emit('Less', y, zero), f.number(-Math.PI), f.number(Math.PI));
  const turned = f.emit('Where', f.emit('Less', x, zero), half, zero);
  const angle = f.emit('Add', f.emit('Atan', f.emit('Div', y, x)), turned);
  const isOrigin = f.emit('And', f.emit('Equal', x, zero), f.emit('Equal', y, zero));
  return f.emit('Where', isOrigin, zero, angle);
}

const castTo: Translator = ({ attrs: { dtype }, inputs }: Call<{ dtype: DType }>, builder) =>
  builder.cast(inputs[0]!, dtype);

const relu: Translator = (call, builder) => {
  const { dtype } = call.type(0);
  if (category(dtype) === 'floating') return builder.emit('Relu', call.inputs);
  return arithmetic('Max')(call, builder);
};

const where: Translator = (call, builder) => {
  const [condition, a, b] = call.inputs as [string, string, string];
  const { dtype } = call.output;
  const chosen = truth(builder, condition, call.type(0).dtype);
  if (dtype !== 'bool') return builder.emit('Where', [chosen, a, b]);
  const wide = [a, b].map((x) => builder.cast(x, 'int32'));
  return builder.cast(builder.emit('Where', [chosen, ...wide]), 'bool');
};

export const pointwise: Translators = {
  cast: castTo,
  neg: arithmetic('Neg'),
  abs: arithmetic('Abs'),
  relu,
  sign: arithmetic('Sign'),
  floor: rounding('Floor'),
  ceil: rounding('Ceil'),
  round: rounding('Round'),
  trunc: (call, builder) =>
    category(call.type(0).dtype) === 'floating'
      ? formula((f, x) => f.emit('Mul', f.emit('Sign', x), f.emit('Floor', f.emit('Abs', x))))(
          call,
          builder,
        )
      : call.input(0),
  isnan: one('IsNaN'),
  isinf: one('IsInf'),
  logical_not: logical('Not'),
  exp: one('Exp'),
  expm1: formula((f, x) => f.emit('Sub', f.emit('Exp', x), f.number(1))),
  log: one('Log'),
  log1p: formula((f, x) => f.emit('Log', f.emit('Add', x, f.number(1)))),
  sqrt: one('Sqrt'),
  rsqrt: formula((f, x) => f.emit('Reciprocal', f.emit('Sqrt', x))),
  reciprocal: one('Reciprocal'),
  sin: one('Sin'),
  cos: one('Cos'),
  tan: one('Tan'),
  asin: one('Asin'),
  acos: one('Acos'),
  atan: one('Atan'),
  sinh: one('Sinh'),
  cosh: one('Cosh'),
  asinh: one('Asinh'),
  acosh: one('Acosh'),
  atanh: one('Atanh'),
  tanh: one('Tanh'),
  sigmoid: one('Sigmoid'),
  erf: one('Erf'),
  erfc: formula((f, x) => f.emit('Sub', f.number(1), f.emit('Erf', x))),
  exp2: formula((f, x) => f.emit('Pow', f.number(2), x)),
  log2: logarithm(2),
  log10: logarithm(10),
  gelu: gelu('none', (f, x) =>
    halfOf(f, x, f.emit('Erf', f.emit('Mul', x, f.number(Math.SQRT1_2)))),
  ),
  gelu_tanh: gelu('tanh', (f, x) => {
    const cubed = f.emit('Mul', f.emit('Mul', x, x), f.emit('Mul', x, f.number(0.044715)));
    const inner = f.emit('Mul', f.emit('Add', x, cubed), f.number(Math.sqrt(2 / Math.PI)));
    return halfOf(f, x, f.emit('Tanh', inner));
  }),
  add: (call, builder) => withBias(call, builder) ?? arithmetic('Add')(call, builder),
  sub: arithmetic('Sub'),
  mul: arithmetic('Mul'),
  div: arithmetic('Div'),
  div_trunc: arithmetic('Div'),
  pow: arithmetic('Pow'),
  atan2: formula(quotientAngle),
  maximum: arithmetic('Max'),
  minimum: arithmetic('Min'),
  fmod: arithmetic('Mod', { fmod: 1 }),
  eq: comparison('Equal'),
  ne: comparison('Equal', true),
  lt: comparison('Less'),
  le: comparison('LessOrEqual'),
  gt: comparison('Greater'),
  ge: comparison('GreaterOrEqual'),
  logical_and: logical('And'),
  logical_or: logical('Or'),
  logical_xor: logical('Xor'),
  bitwise_and: byCategory('And', 'BitwiseAnd'),
  bitwise_or: byCategory('Or', 'BitwiseOr'),
  bitwise_xor: byCategory('Xor', 'BitwiseXor'),
  where,
};
