/**
 * Fused pointwise groups: a straight-line program over registers, one block of elements at a time.
 */

import { type ComputeType, computeType } from '../../base/dtype.ts';
import { roundHalfEven } from '../../base/rounding.ts';
import { numel } from '../../base/shape.ts';
import { type KernelAttrs, POINTWISE_FNS, type PointwiseFn } from '../kernels.ts';
import {
  airyAi,
  besselFirst,
  besselI,
  besselK,
  besselSecond,
  scaledBesselI,
  scaledBesselK,
} from './bessel.ts';
import { exponent, mantissa, nextAfter, nextAmong } from './float-parts.ts';
import { gammainc, gammaincc } from './incomplete-gamma.ts';
import { check, checkShape, type KernelCall, type Run } from './kernel.ts';
import {
  chebyshevT,
  chebyshevU,
  chebyshevV,
  chebyshevW,
  hermiteH,
  hermiteHe,
  laguerreL,
  legendreP,
} from './polynomials.ts';
import { erf, gelu, geluDerivative, geluTanh, geluTanhDerivative, power } from './special.ts';
import { digamma, erfc, erfcx, erfinv, lgamma, ndtri, zeta } from './special-functions.ts';
import { toBool, toInt32, toInt64, toUint8 } from './values.ts';
import { broadcastStrides, viewPlaces } from './views.ts';

type Fn = (a: number, b: number, c: number) => number;

/** A function in the floating compute types and in int64; `undefined` where it has no meaning. */
interface Row {
  readonly float?: Fn;
  readonly int64?: Fn;
}

const same = (fn: Fn): Row => ({ float: fn, int64: fn });
const floating = (fn: Fn): Row => ({ float: fn });
/** Of integers only, in the 64 bits that a number alone cannot hold. */
const whole = (fn: (a: bigint, b: bigint) => bigint): Row => ({
  int64: (a, b) => Number(BigInt.asIntN(64, fn(BigInt(a), BigInt(b)))),
});
/** Rounding to an integer does nothing to one. */
const rounding = (fn: Fn): Row => ({ float: fn, int64: (a) => a });

const FNS: Record<Exclude<PointwiseFn, 'const'>, Row> = {
  cast: { float: (a) => a, int64: toInt64 },
  to_bfloat16: floating((a) => a), // floating dtypes are not rounded here; see values.ts
  to_float16: floating((a) => a),
  to_int32: same(toInt32),
  to_uint8: same(toUint8),
  to_bool: same(toBool),
  neg: { float: (a) => -a, int64: (a) => 0 - a },
  abs: same(Math.abs),
  relu: same((a) => Math.max(a, 0)),
  sign: { float: (a) => (a > 0 ? 1 : a < 0 ? -1 : 0), int64: Math.sign },
  exp: floating(Math.exp),
  expm1: floating(Math.expm1),
  log: floating(Math.log),
  log1p: floating(Math.log1p),
  sqrt: floating(Math.sqrt),
  rsqrt: floating((a) => 1 / Math.sqrt(a)),
  reciprocal: floating((a) => 1 / a),
  sin: floating(Math.sin),
  cos: floating(Math.cos),
  tanh: floating(Math.tanh),
  sigmoid: floating((a) => 1 / (1 + Math.exp(-a))),
  erf: floating(erf),
  gelu: floating(gelu),
  gelu_tanh: floating(geluTanh),
  gelu_derivative: floating(geluDerivative),
  gelu_tanh_derivative: floating(geluTanhDerivative),
  tan: floating(Math.tan),
  asin: floating(Math.asin),
  acos: floating(Math.acos),
  atan: floating(Math.atan),
  sinh: floating(Math.sinh),
  cosh: floating(Math.cosh),
  asinh: floating(Math.asinh),
  acosh: floating(Math.acosh),
  atanh: floating(Math.atanh),
  exp2: floating((a) => 2 ** a),
  log2: floating(Math.log2),
  log10: floating(Math.log10),
  erfcx: floating(erfcx),
  ndtri: floating(ndtri),
  i0: floating(besselI(0)),
  i0e: floating(scaledBesselI(0)),
  i1: floating(besselI(1)),
  i1e: floating(scaledBesselI(1)),
  modified_bessel_k0: floating(besselK(0)),
  modified_bessel_k1: floating(besselK(1)),
  scaled_modified_bessel_k0: floating(scaledBesselK(0)),
  scaled_modified_bessel_k1: floating(scaledBesselK(1)),
  bessel_j0: floating(besselFirst(0)),
  bessel_j1: floating(besselFirst(1)),
  bessel_y0: floating(besselSecond(0)),
  bessel_y1: floating(besselSecond(1)),
  airy_ai: floating(airyAi),
  erfc: floating(erfc),
  erfinv: floating(erfinv),
  lgamma: floating(lgamma),
  digamma: floating(digamma),
  frexp_mantissa: floating(mantissa),
  frexp_exponent: floating(exponent),
  floor: rounding(Math.floor),
  ceil: rounding(Math.ceil),
  round: rounding(roundHalfEven),
  trunc: rounding(Math.trunc),
  isnan: same((a) => Number(Number.isNaN(a))),
  isinf: same((a) => Number(Math.abs(a) === Infinity)),
  logical_not: same((a) => Number(a === 0)),
  add: same((a, b) => a + b),
  sub: same((a, b) => a - b),
  mul: same((a, b) => a * b),
  div: { float: (a, b) => a / b, int64: (a, b) => (b === 0 ? 0 : (a - (a % b)) / b) },
  pow: { float: power, int64: integerPower },
  atan2: floating(Math.atan2),
  zeta: floating(zeta),
  gammainc: floating(gammainc),
  gammaincc: floating(gammaincc),
  chebyshev_polynomial_t: floating(chebyshevT),
  chebyshev_polynomial_u: floating(chebyshevU),
  chebyshev_polynomial_v: floating(chebyshevV),
  chebyshev_polynomial_w: floating(chebyshevW),
  hermite_polynomial_h: floating(hermiteH),
  hermite_polynomial_he: floating(hermiteHe),
  laguerre_polynomial_l: floating(laguerreL),
  legendre_polynomial_p: floating(legendreP),
  nextafter: floating(nextAfter),
  nextafter_bfloat16: floating((a, b) => nextAmong('bfloat16', a, b)),
  nextafter_float16: floating((a, b) => nextAmong('float16', a, b)),
  // NaN wins, as in PyTorch. Not Math.max itself: it would take the unused third argument too.
  maximum: same((a, b) => Math.max(a, b)),
  minimum: same((a, b) => Math.min(a, b)),
  fmod: { float: (a, b) => a % b, int64: (a, b) => (b === 0 ? 0 : a % b) },
  eq: same((a, b) => Number(a === b)),
  ne: same((a, b) => Number(a !== b)),
  lt: same((a, b) => Number(a < b)),
  le: same((a, b) => Number(a <= b)),
  gt: same((a, b) => Number(a > b)),
  ge: same((a, b) => Number(a >= b)),
  logical_and: same((a, b) => Number(a !== 0 && b !== 0)),
  logical_or: same((a, b) => Number(a !== 0 || b !== 0)),
  logical_xor: same((a, b) => Number((a !== 0) !== (b !== 0))),
  bitwise_and: whole((a, b) => a & b),
  bitwise_or: whole((a, b) => a | b),
  bitwise_xor: whole((a, b) => a ^ b),
  bitwise_left_shift: whole((a, b) => (isShift(b) ? a << b : 0n)),
  bitwise_right_shift: whole((a, b) => a >> (isShift(b) ? b : 63n)),
  gcd: whole(gcd),
  where: same((condition, a, b) => (condition !== 0 ? a : b)),
};

const isShift = (bits: bigint) => bits >= 0n && bits < 64n;

function gcd(a: bigint, b: bigint): bigint {
  if (b === 0n) return a < 0n ? -a : a;
  return gcd(b, a % b);
}

/** A negative exponent divides: 1 and -1 keep their powers, everything else gives 0. */
function integerPower(base: number, exponent: number): number {
  return exponent < 0 && base === 0 ? 0 : Math.trunc(base ** exponent);
}

/** Whether `fn` has a meaning in compute type `type`. */
export function isDefined(fn: PointwiseFn, type: ComputeType): boolean {
  return fn === 'const' || FNS[fn][type === 'int64' ? 'int64' : 'float'] !== undefined;
}

interface Step {
  readonly run: Fn;
  /** Register of each argument; an unused one points at register 0. */
  readonly args: readonly [number, number, number];
}

/** Elements a pass: small enough for the registers of a long group to stay in cache. */
const BLOCK = 2048;

export function pointwise({ attrs, inputs, outputs }: KernelCall<'pointwise'>): Run {
  check(outputs.length > 0, 'needs at least one output');
  const shape = outputs[0]!.shape;
  for (const output of outputs) checkShape('every output', output.shape, shape);
  const strides = inputs.map((input) => broadcastStrides(input.shape, shape));
  const steps = compile(
    attrs,
    inputs.map((input) => computeType(input.dtype)),
  );
  check(
    attrs.results.length === outputs.length &&
      attrs.results.every((register) => register >= 0 && register < inputs.length + steps.length),
    `results [${attrs.results}] must name a register for each of ${outputs.length} outputs`,
  );

  return (ins, outs) => {
    const count = numel(shape);
    const places = strides.map((list) => viewPlaces(shape, list));
    const registers = Array.from(
      { length: Math.max(1, ins.length + steps.length) },
      () => new Float64Array(Math.min(BLOCK, count)),
    );
    for (let start = 0; start < count; start += BLOCK) {
      const length = Math.min(BLOCK, count - start);
      ins.forEach((input, i) => {
        for (let j = 0; j < length; j++) registers[i]![j] = input[places[i]![start + j]!]!;
      });
      steps.forEach((step, k) => {
        const [a, b, c] = step.args.map((register) => registers[register]!);
        const out = registers[ins.length + k]!;
        for (let j = 0; j < length; j++) out[j] = step.run(a![j]!, b![j]!, c![j]!);
      });
      outs.forEach((out, j) => {
        out.set(registers[attrs.results[j]!]!.subarray(0, length), start);
      });
    }
  };
}

/** Checks the steps and their types, and looks their functions up. */
function compile(attrs: KernelAttrs['pointwise'], inputTypes: readonly ComputeType[]): Step[] {
  const { fns, types, args, imms } = attrs;
  check(
    types.length === fns.length && args.length === 3 * fns.length && imms.length === fns.length,
    `${fns.length} steps need as many types, imms and three args each`,
  );
  const registerTypes = [...inputTypes];
  return fns.map((fn, k) => {
    const type = types[k]!;
    check(Object.hasOwn(POINTWISE_FNS, fn), `step ${k} names an unknown function "${fn}"`);
    check(isDefined(fn, type), `step ${k}: ${fn} is not defined in ${type}`);
    const used = args.slice(3 * k, 3 * k + POINTWISE_FNS[fn]);
    for (const register of used) {
      const from = registerTypes[register];
      check(from !== undefined, `step ${k}: ${fn} reads register ${register}, not yet written`);
      check(
        fn === 'cast' || from === type,
        `step ${k}: ${fn} works in ${type} but register ${register} is ${from}`,
      );
    }
    registerTypes.push(type);
    const [a = 0, b = 0, c = 0] = used;
    return { run: stepFunction(fn, type, imms[k]!), args: [a, b, c] };
  });
}

function stepFunction(fn: PointwiseFn, type: ComputeType, immediate: number): Fn {
  if (fn === 'const') {
    const value = type === 'int64' ? toInt64(immediate) : immediate;
    return () => value;
  }
  return FNS[fn][type === 'int64' ? 'int64' : 'float']!;
}
