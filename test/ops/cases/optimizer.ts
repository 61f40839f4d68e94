/**
 * Steps of the optimizers and the norm that clips gradients. They have no gradient of their own.
 */

import type { Tensor } from '../../../src/index.ts';
import { tensor } from '../../../src/index.ts';
import { clipNorm } from '../../../src/ops/clipping.ts';
import { adamUpdate, sgdUpdate } from '../../../src/ops/optimizer.ts';
import { f32, f64, type OpCase, opCase, within } from '../case.ts';

const like = (x: Tensor, value: number) => tensor(value, { dtype: x.dtype });

interface SgdCase {
  momentum?: number;
  weight_decay?: number;
  nesterov?: boolean;
  maximize?: boolean;
  /** Factor of the gradient. */
  scale?: number;
}

function sgd(detail: string, given: SgdCase, slots = [f32(2, 3), f32(2, 3), f32(2, 3)]): OpCase {
  const { scale, ...options } = given;
  const all = { momentum: 0, weight_decay: 0, nesterov: false, maximize: false, ...options };
  const run = (parameter: Tensor, gradient: Tensor, buffer?: Tensor) => {
    const factors = {
      lr: like(parameter, 0.1),
      damping: like(parameter, 1),
      scale: scale === undefined ? undefined : like(parameter, scale),
    };
    const momentum_buffer = all.momentum === 0 ? undefined : buffer;
    return sgdUpdate([{ parameter, gradient, momentum_buffer }], factors, all)[0]!;
  };
  const buffer = slots.length === 3 ? 'c' : 'None';
  const torch = `sgd_step(a, ${scale ?? 1} * b, ${buffer}, lr=0.1, ${keywords(all)})`;
  return opCase('fused_sgd', detail, slots, run, { torch, grad: false });
}

interface AdamCase {
  amsgrad?: boolean;
  weight_decay?: number;
  maximize?: boolean;
  decoupled?: boolean;
  betas?: [number, number];
  scale?: number;
}

/** The third step with lr 0.1. */
function adam(detail: string, given: AdamCase, slot = f32(2, 3)): OpCase {
  const { amsgrad = false, weight_decay = 0, maximize = false, decoupled = false, scale } = given;
  const [beta1, beta2] = given.betas ?? [0.9, 0.999];
  const run = (parameter: Tensor, gradient: Tensor, ...state: Tensor[]) => {
    const factors = {
      step_size: like(parameter, 0.1 / (1 - beta1 ** 3)),
      root_scale: like(parameter, 1 / Math.sqrt(1 - beta2 ** 3)),
      keep: like(parameter, decoupled ? 1 - 0.1 * weight_decay : 1),
      scale: scale === undefined ? undefined : like(parameter, scale),
    };
    const [exp_avg, exp_avg_sq, max_exp_avg_sq] = state;
    return adamUpdate(
      [{ parameter, gradient, exp_avg: exp_avg!, exp_avg_sq: exp_avg_sq!, max_exp_avg_sq }],
      factors,
      {
        ...{ beta1, beta2, eps: 1e-8, amsgrad, maximize },
        weight_decay: decoupled ? 0 : weight_decay,
      },
    )[0]!;
  };
  const squares = within('positive', slot);
  const slots = [slot, slot, slot, squares, ...(amsgrad ? [squares] : [])];
  const options = { amsgrad, weight_decay, maximize, decoupled_weight_decay: decoupled };
  const state = amsgrad ? 'c, d, e' : 'c, d';
  const torch = `adam_step(a, ${scale ?? 1} * b, ${state}, lr=0.1, betas=(${beta1}, ${beta2}), ${keywords(options)})`;
  return opCase('fused_adam', detail, slots, run, { torch, grad: false });
}

function keywords(options: Record<string, number | boolean>): string {
  const python = (value: number | boolean) =>
    typeof value === 'number' ? value : value ? 'True' : 'False';
  return Object.entries(options)
    .map(([name, value]) => `${name}=${python(value)}`)
    .join(', ');
}

function clip(detail: string, max_norm: number, norm_type: number, slots = [f32(2, 3), f32(4)]) {
  const run = (...tensors: Tensor[]) => {
    const { norm, scale } = clipNorm(tensors, { max_norm, norm_type });
    return [norm, scale];
  };
  const p = Number.isFinite(norm_type) ? norm_type : 'math.inf';
  const names = [...'abcdef'].slice(0, slots.length).join(', ');
  const torch = `clip_norm(${max_norm}, ${p}, ${names})`;
  return opCase('clip_norm', detail, slots, run, { torch, grad: false });
}

export const OPTIMIZER: readonly OpCase[] = [
  sgd('plain', {}, [f32(2, 3), f32(2, 3)]),
  sgd('momentum', { momentum: 0.9 }),
  sgd('nesterov and decay', { momentum: 0.9, nesterov: true, weight_decay: 0.1 }),
  sgd('maximize and scale', { momentum: 0.5, maximize: true, scale: 0.25 }),
  sgd('float64', { momentum: 0.9, weight_decay: 0.1 }, [f64(5), f64(5), f64(5)]),
  sgd('empty', { momentum: 0.9 }, [f32(0), f32(0), f32(0)]),
  adam('plain', {}),
  adam('amsgrad', { amsgrad: true }),
  adam('decay', { weight_decay: 0.1 }),
  adam('decoupled decay', { weight_decay: 0.1, decoupled: true }),
  adam('maximize and scale', { maximize: true, scale: 0.25 }),
  adam('a small first beta', { betas: [0.3, 0.9] }),
  adam('float64', { amsgrad: true, weight_decay: 0.1 }, f64(5)),
  clip('2-norm', 1, 2),
  clip('1-norm', 2.5, 1),
  clip('3-norm of one tensor', 0.5, 3, [f32(3, 3)]),
  clip('largest', 0.25, Number.POSITIVE_INFINITY),
  clip('short enough', 100, 2, [f64(3), f64(2, 2)]),
  clip('nothing in one of two', 1, 2, [f32(0, 3), f32(4)]),
];
