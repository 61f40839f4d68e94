/** Well-known parametrizations. https://pytorch.org/docs/stable/nn.html#utilities */

import { ArgumentError, opError } from '../../base/errors.ts';
import { normalizeDim } from '../../base/shape.ts';
import { noGrad } from '../../core/grad-mode.ts';
import { Tensor } from '../../core/tensor.ts';
import { randn } from '../../ops/draws.ts';
import { flatten, permute } from '../../ops/movement.ts';
import { div, mul, sqrt } from '../../ops/pointwise.ts';
import { dot, mv } from '../../ops/products.ts';
import { sum } from '../../ops/reduction.ts';
import { ConvTranspose1d, ConvTranspose2d, ConvTranspose3d } from '../conv.ts';
import { normalize } from '../functional/distance.ts';
import { type AnyModule, Buffer, Module } from '../module.ts';
import { moduleFunction, registerParametrization } from './parametrize.ts';

export { type OrthogonalMap, orthogonal } from './orthogonal.ts';

/** The parameter or buffer `name` of `module`. */
function tensorOf(op: string, module: AnyModule, name: string): Tensor {
  const field = (module as unknown as Record<string, unknown>)[name];
  if (field instanceof Tensor) return field;
  const message = `${module.constructor.name} has no parameter or buffer ${name}`;
  throw opError(ArgumentError, op, message);
}

// ---- weight norm -------------------------------------------------------------------------------

/** g v / |v|, with a norm for each place along `dim`; of all elements where it is null. */
class WeightNorm extends Module<[weight_g: Tensor, weight_v: Tensor]> {
  readonly dim: number | null;

  constructor(dim: number | null) {
    super();
    this.dim = dim;
  }

  forward(weight_g: Tensor, weight_v: Tensor): Tensor {
    return mul(weight_v, div(weight_g, this.#norm(weight_v)));
  }

  rightInverse(weight: Tensor): [weight_g: Tensor, weight_v: Tensor] {
    return [this.#norm(weight), weight];
  }

  #norm(v: Tensor): Tensor {
    const squares = mul(v, v);
    if (this.dim === null || this.dim === -1) return sqrt(sum(squares));
    const kept = normalizeDim('weight_norm', this.dim, v.ndim);
    const dims = v.shape.map((_, i) => i).filter((i) => i !== kept);
    return dims.length === 0 ? sqrt(squares) : sqrt(sum(squares, dims, true));
  }
}

/**
 * Separates the length of a weight, `parametrizations.weight.original0`, from its direction,
 * `original1` (Salimans and Kingma 2016): one length for each place along `dim`, or one of all
 * where it is null. The keys of PyTorch's older weight_norm, `weight_g` and `weight_v`, can be
 * loaded.
 * https://pytorch.org/docs/stable/generated/torch.nn.utils.parametrizations.weight_norm.html
 *
 * @throws ArgumentError when there is no such parameter, or no such dimension.
 */
export const weightNorm = moduleFunction(
  'weight_norm',
  ['module', 'name', 'dim'],
  (module: AnyModule, name = 'weight', dim: number | null = 0): AnyModule => {
    tensorOf('weight_norm', module, name);
    registerParametrization(module, name, new WeightNorm(dim), true);
    module.registerLoadStateDictPreHook((_, state, prefix) => {
      for (const [i, old] of [`${prefix}${name}_g`, `${prefix}${name}_v`].entries()) {
        const value = state.get(old);
        if (value === undefined) continue;
        state.set(`${prefix}parametrizations.${name}.original${i}`, value);
        state.delete(old);
      }
    });
    return module;
  },
);

// ---- spectral norm -----------------------------------------------------------------------------

/** A weight over its largest singular value, which is followed by power iteration in training. */
class SpectralNorm extends Module<[weight: Tensor]> {
  readonly dim: number;
  readonly eps: number;
  readonly n_power_iterations: number;
  readonly _u: Buffer | null = null;
  readonly _v: Buffer | null = null;

  constructor(weight: Tensor, n_power_iterations: number, dim: number, eps: number) {
    super();
    this.dim = normalizeDim('spectral_norm', dim, weight.ndim);
    this.eps = eps;
    this.n_power_iterations = n_power_iterations;
    if (weight.ndim < 2) return;
    const matrix = this.#matrix(weight).detach();
    const [rows, columns] = matrix.shape as [number, number];
    const { dtype } = weight;
    const start = (size: number) =>
      new Buffer(normalize(randn([size], { dtype }), { dim: 0, eps }));
    this._u = start(rows);
    this._v = start(columns);
    this.#iterate(matrix, 15);
    for (const vector of [this._u, this._v]) vector.realize();
  }

  forward(weight: Tensor): Tensor {
    const { _u: u, _v: v, eps } = this;
    if (u === null || v === null) return normalize(weight, { dim: 0, eps });
    const matrix = this.#matrix(weight);
    if (this.training) this.#iterate(matrix, this.n_power_iterations);
    return div(weight, dot(u.detach(), mv(matrix, v.detach())));
  }

  rightInverse(value: Tensor): Tensor {
    return value;
  }

  /** (size of `dim`, everything else). */
  #matrix(weight: Tensor): Tensor {
    const others = weight.shape.map((_, i) => i).filter((i) => i !== this.dim);
    return flatten(permute(weight, [this.dim, ...others]), 1);
  }

  #iterate(matrix: Tensor, times: number): void {
    const { _u: u, _v: v, eps } = this;
    noGrad(() => {
      const transposed = permute(matrix, [1, 0]);
      for (let i = 0; i < times; i++) {
        u!.copy_(normalize(mv(matrix, v!), { dim: 0, eps }));
        v!.copy_(normalize(mv(transposed, u!), { dim: 0, eps }));
      }
    });
  }
}

/**
 * Divides a weight by its largest singular value (Miyato et al. 2018), or a vector by its norm. The
 * singular vectors, `parametrizations.weight.0._u` and `_v`, come closer at every reading of the
 * weight in training mode.
 * https://pytorch.org/docs/stable/generated/torch.nn.utils.parametrizations.spectral_norm.html
 *
 * @param dim of the outputs: 0, and 1 for transposed convolutions, where it is left out.
 * @throws ArgumentError when there is no such parameter or dimension, or no iteration.
 */
export const spectralNorm = moduleFunction(
  'spectral_norm',
  ['module', 'name', 'n_power_iterations', 'eps', 'dim'],
  (
    module: AnyModule,
    name = 'weight',
    n_power_iterations = 1,
    eps = 1e-12,
    dim: number | null = null,
  ): AnyModule => {
    const weight = tensorOf('spectral_norm', module, name);
    if (!Number.isInteger(n_power_iterations) || n_power_iterations < 1) {
      const message = `n_power_iterations must be positive, got ${n_power_iterations}`;
      throw opError(ArgumentError, 'spectral_norm', message);
    }
    const transposed = [ConvTranspose1d, ConvTranspose2d, ConvTranspose3d];
    const outputs = dim ?? (transposed.some((type) => module instanceof type) ? 1 : 0);
    const norm = new SpectralNorm(weight, n_power_iterations, outputs, eps);
    return registerParametrization(module, name, norm);
  },
);
