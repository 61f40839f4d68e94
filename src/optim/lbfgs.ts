/** L-BFGS: a quasi-Newton method that remembers the last few steps. */

import { z } from 'zod';
import { ArgumentError, assert, CompileError } from '../base/errors.ts';
import { parseOptions, strict } from '../base/registry.ts';
import { enableGrad, noGrad } from '../core/grad-mode.ts';
import { realizeSync } from '../core/realize.ts';
import { hostScalar } from '../core/scalar.ts';
import { Tensor } from '../core/tensor.ts';
import { currentTrace } from '../core/trace.ts';
import { zeros } from '../ops/creation.ts';
import { cat } from '../ops/joining.ts';
import { reshape } from '../ops/movement.ts';
import { abs, add, mul, neg, sub } from '../ops/pointwise.ts';
import { amax, sum } from '../ops/reduction.ts';
import { narrow } from '../ops/slicing.ts';
import { type Point, strongWolfe } from './line-search.ts';
import { type Closure, type InitialState, Optimizer } from './optimizer.ts';
import { rate, rateOf } from './options.ts';
import type { Params } from './param-groups.ts';
import { optimizers } from './registry.ts';
import type { OptimizerStateDict, SavedState } from './state-dict.ts';

const options = strict({
  lr: rate(1).describe('How much of the way that the method takes is gone.'),
  max_iter: z.int().min(1).default(20).describe('The most iterations of one step.'),
  max_eval: z
    .int()
    .min(1)
    .nullable()
    .default(null)
    .describe('The most evaluations of one step; null for max_iter * 1.25.'),
  tolerance_grad: z
    .number()
    .default(1e-7)
    .describe('A gradient whose elements are all as small as this ends the step.'),
  tolerance_change: z
    .number()
    .default(1e-9)
    .describe('A change of loss or parameters as small as this ends the step.'),
  history_size: z.int().min(1).default(100).describe('How many steps are remembered.'),
  line_search_fn: z
    .enum(['strong_wolfe'])
    .nullable()
    .default(null)
    .describe('How far a step goes; null for lr times the direction.'),
});

export type LBFGSOptions = z.output<typeof options>;

/** What is remembered of all parameters together. */
interface Memory {
  func_evals: number;
  n_iter: number;
  /** The last direction and the step along it. */
  d: Tensor;
  t: number;
  /** Changes of gradients and parameters, and one over their products. */
  old_dirs: Tensor[];
  old_stps: Tensor[];
  ro: number[];
  /** The weights of the first loop. */
  al: number[];
  H_diag: number;
  prev_flat_grad: Tensor | undefined;
  prev_loss: number;
}

/**
 * Each step takes several iterations, each of which calls `closure`; it looks at losses and
 * gradients on the way and so cannot be compiled. There can be one parameter group.
 * https://pytorch.org/docs/stable/generated/torch.optim.LBFGS.html
 */
export class LBFGS extends Optimizer<LBFGSOptions> {
  override readonly compilable = false;
  #memory: Memory | undefined;

  constructor(params: Params<LBFGSOptions>, given: z.input<typeof options> = {}) {
    const parsed = parseOptions('LBFGS', options, given);
    super(params, { ...parsed, max_eval: parsed.max_eval ?? Math.floor(parsed.max_iter * 1.25) });
  }

  protected override checkGroup(): void {
    if (this.param_groups.length === 0) return;
    throw new ArgumentError(
      '[LBFGS] there can be only one parameter group; it has no options for parts of a model',
    );
  }

  protected initialState(): InitialState {
    return {};
  }

  protected update(): void {
    assert(false, 'LBFGS updates all parameters in its step');
  }

  /**
   * Minimises from here; gives the loss before.
   * @throws ArgumentError without a closure, CompileError in a compiled step.
   */
  override step(closure?: Closure): Tensor {
    return super.step(closure)!;
  }

  protected override takeStep(closure?: Closure): Tensor {
    if (currentTrace() !== undefined) {
      throw new CompileError(
        '[LBFGS] a step depends on the losses on its way: it cannot be compiled',
      );
    }
    if (closure === undefined) {
      throw new ArgumentError('[LBFGS] step needs a closure that gives the loss');
    }
    return noGrad(() => this.#minimise(() => enableGrad(closure)));
  }

  #minimise(closure: Closure): Tensor {
    const first = closure();
    let gradient = this.#gradient();
    let loss = value(first, gradient);
    const memory = this.#memory ?? begin();
    memory.func_evals++;
    this.#memory = memory;
    const { lr, max_iter, tolerance_grad, tolerance_change } = this.#options;
    const max_eval = this.#options.max_eval!;
    if (largest(gradient) <= tolerance_grad) return first;

    let evaluations = 1;
    for (let iteration = 1; iteration <= max_iter; iteration++) {
      memory.n_iter++;
      this.#turn(memory, gradient);
      memory.prev_flat_grad = gradient;
      memory.prev_loss = loss;
      const isFirst = memory.n_iter === 1;
      const t = isFirst ? Math.min(1, 1 / sum(abs(gradient)).item()) * rateOf(lr) : rateOf(lr);
      memory.t = t;
      const slope = dot(gradient, memory.d);
      if (slope > -tolerance_change) break;

      const start = { t: 0, loss, gradient, slope };
      const isLast = iteration === max_iter;
      const moved = this.#move(closure, memory, start, isLast, max_eval - evaluations);
      ({ loss, gradient } = moved);
      evaluations += moved.evaluations;
      memory.func_evals += moved.evaluations;
      if (isLast || evaluations >= max_eval) break;
      if (largest(gradient) <= tolerance_grad) break;
      if (largest(memory.d) * Math.abs(memory.t) <= tolerance_change) break;
      if (Math.abs(loss - memory.prev_loss) < tolerance_change) break;
    }
    return first;
  }

  get #options(): LBFGSOptions {
    return this.param_groups[0]!;
  }

  get #params(): readonly Tensor[] {
    return this.param_groups[0]!.params;
  }

  /** The gradients of all parameters, one after the other; zeros where there is none. */
  #gradient(): Tensor {
    const parts = this.#params.map((p) =>
      p.grad === null ? zeros([p.numel()], { dtype: p.dtype }) : reshape(p.grad, [p.numel()]),
    );
    return cat(parts);
  }

  /** Sets the next direction: the inverse Hessian, as far as it is known, times the gradient. */
  #turn(memory: Memory, gradient: Tensor): void {
    if (memory.prev_flat_grad === undefined) {
      memory.d = computed(neg(gradient));
      return;
    }
    const y = computed(sub(gradient, memory.prev_flat_grad));
    const s = computed(scaled(memory.d, memory.t));
    const ys = dot(y, s);
    if (ys > 1e-10) {
      if (memory.old_dirs.length === this.#options.history_size) {
        memory.old_dirs.shift();
        memory.old_stps.shift();
        memory.ro.shift();
      }
      memory.old_dirs.push(y);
      memory.old_stps.push(s);
      memory.ro.push(1 / ys);
      memory.H_diag = ys / dot(y, y);
    }
    memory.al = [];
    memory.d = twoLoops(memory, gradient);
  }

  /** Goes along the direction, by a fixed step or by a line search. */
  #move(closure: Closure, memory: Memory, start: Point, isLast: boolean, max_iterations: number) {
    const { d } = memory;
    const { line_search_fn, tolerance_change } = this.#options;
    if (line_search_fn !== null) {
      const before = this.#params.map((p) => p.detach());
      const evaluate = (t: number): Point => {
        this.#advance(d, t);
        const loss = closure();
        const gradient = this.#gradient();
        const found = { t, loss: value(loss, gradient), gradient, slope: dot(gradient, d) };
        for (const [i, p] of this.#params.entries()) p.copy_(before[i]!);
        return found;
      };
      const searched = { reach: largest(d), tolerance_change, max_iterations };
      const { point, evaluations } = strongWolfe(evaluate, start, memory.t, searched);
      memory.t = point.t;
      this.#advance(d, point.t);
      return { loss: point.loss, gradient: point.gradient, evaluations };
    }
    this.#advance(d, memory.t);
    // After the last iteration nobody looks at the loss.
    if (isLast) return { loss: start.loss, gradient: start.gradient, evaluations: 0 };
    const loss = closure();
    const gradient = this.#gradient();
    return { loss: value(loss, gradient), gradient, evaluations: 1 };
  }

  /** p += t * d for all parameters. */
  #advance(d: Tensor, t: number): void {
    let offset = 0;
    for (const p of this.#params) {
      const part = reshape(narrow(d, 0, offset, p.numel()), p.shape);
      p.copy_(add(p, scaled(part, t)));
      offset += p.numel();
    }
    realizeSync(this.#params.map((p) => p.value));
  }

  /** As PyTorch's: what is kept of all parameters stands at the first. */
  override stateDict(): OptimizerStateDict {
    const dict = super.stateDict();
    if (this.#memory === undefined) return dict;
    const { prev_flat_grad, ...kept } = this.#memory;
    if (prev_flat_grad === undefined) {
      dict.state[0] = { func_evals: kept.func_evals, n_iter: kept.n_iter };
    } else {
      dict.state[0] = { ...kept, prev_flat_grad };
    }
    return dict;
  }

  override loadStateDict(dict: OptimizerStateDict): void {
    const saved = dict.state[0];
    super.loadStateDict({ ...dict, state: {} });
    this.#memory = saved === undefined ? undefined : remembered(saved);
  }
}

function begin(): Memory {
  const d = zeros([0]);
  const lists = { old_dirs: [], old_stps: [], ro: [], al: [] };
  return {
    func_evals: 0,
    n_iter: 0,
    d,
    t: 0,
    ...lists,
    H_diag: 1,
    prev_flat_grad: undefined,
    prev_loss: 0,
  };
}

/** A saved memory; PyTorch keeps some of the numbers as tensors. */
function remembered(saved: SavedState): Memory {
  const number = (from: unknown) => (from instanceof Tensor ? from.item() : (from as number));
  const tensors = (from: unknown) => [...((from as Tensor[] | undefined) ?? [])];
  const memory = { ...begin(), func_evals: number(saved.func_evals), n_iter: number(saved.n_iter) };
  if (!(saved.prev_flat_grad instanceof Tensor)) return memory;
  return {
    ...memory,
    d: saved.d as Tensor,
    t: number(saved.t),
    old_dirs: tensors(saved.old_dirs),
    old_stps: tensors(saved.old_stps),
    ro: ((saved.ro as unknown[] | undefined) ?? []).map(number),
    H_diag: number(saved.H_diag),
    prev_flat_grad: saved.prev_flat_grad,
    prev_loss: number(saved.prev_loss),
  };
}

/**
 * Nocedal and Wright, Numerical Optimization, algorithm 7.4: a direction of descent. Fills `al`.
 */
function twoLoops({ old_dirs, old_stps, ro, al, H_diag }: Memory, gradient: Tensor): Tensor {
  let q = neg(gradient);
  for (let i = old_dirs.length - 1; i >= 0; i--) {
    al[i] = dot(old_stps[i]!, q) * ro[i]!;
    q = add(q, scaled(old_dirs[i]!, -al[i]!));
  }
  q = scaled(q, H_diag);
  for (const [i, step] of old_stps.entries()) {
    const weight = dot(old_dirs[i]!, q) * ro[i]!;
    q = add(q, scaled(step, al[i]! - weight));
  }
  return computed(q);
}

/** A loss as a number, computed together with the gradient. */
function value(loss: Tensor, gradient: Tensor): number {
  realizeSync([loss.value, gradient.value]);
  return loss.item();
}

/** The product with a number that is no constant of the graph, so that plans are shared. */
function scaled(x: Tensor, factor: number): Tensor {
  return mul(
    x,
    hostScalar(() => factor, x.dtype === 'float64' ? 'float64' : 'float32'),
  );
}

function dot(a: Tensor, b: Tensor): number {
  const product = sum(mul(a, b));
  // `b` may be an update that is not computed yet: with its product, not once more afterwards.
  realizeSync([b.value, product.value]);
  return product.item();
}

function largest(x: Tensor): number {
  return amax(abs(x)).item();
}

function computed(x: Tensor): Tensor {
  return x.realize();
}

optimizers.register('LBFGS', {
  schema: options,
  summary: 'In code only: it asks for the loss several times a step, which a run does not.',
  create: (given: LBFGSOptions, params) => new LBFGS(params, given),
});
