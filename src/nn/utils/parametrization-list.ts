/**
 * What a parametrized module holds: functions, and the tensors of which they compute another one.
 */

import { ArgumentError, DTypeError, opError, ShapeError } from '../../base/errors.ts';
import { formatShape, sameShape } from '../../base/shape.ts';
import { noGrad } from '../../core/grad-mode.ts';
import { Tensor } from '../../core/tensor.ts';
import { currentTrace, type Trace } from '../../core/trace.ts';
import { type AnyModule, Buffer, Module, Parameter } from '../module.ts';
import { listParts, moduleText } from '../module-text.ts';
import { modulesChanged } from '../parameter.ts';

/**
 * What computes the value from the original. `rightInverse` gives an original, or several, from
 * which a value comes; without it the value itself is the original.
 */
export interface Parametrization extends AnyModule {
  rightInverse?(value: Tensor): Tensor | readonly Tensor[];
}

const OP = 'register_parametrization';

/**
 * The parametrizations of one tensor and its originals: `original`, or `original0`, `original1`,
 * ... where the first `rightInverse` gives several.
 */
export class ParametrizationList extends Module<[]> {
  readonly #modules: Parametrization[];
  /** How many originals there are; null for one that is no list. */
  readonly #count: number | null;

  constructor(modules: readonly Parametrization[], original: Parameter | Buffer) {
    super();
    this.#modules = [...modules];
    const found = noGrad(() => this.#inverse(original, false));
    if (found instanceof Tensor) {
      this.#count = null;
      // The tensor stays what an optimizer may know already.
      this.#register(
        'original',
        sameShape(found.shape, original.shape) ? original : found,
        original,
      );
      this.#store(found);
    } else {
      this.#count = found.length;
      for (const [i, tensor] of found.entries()) this.#register(`original${i}`, tensor, original);
    }
  }

  get #fields(): Record<string, unknown> {
    return this as unknown as Record<string, unknown>;
  }

  #register(name: string, tensor: Tensor, like: Parameter | Buffer): void {
    if (tensor === like) this.#fields[name] = like;
    else if (like instanceof Buffer) this.registerBuffer(name, tensor);
    else this.registerParameter(name, new Parameter(tensor.detach(), like.requires_grad));
  }

  get originals(): Tensor[] {
    const names =
      this.#count === null
        ? ['original']
        : Array.from({ length: this.#count }, (_, i) => `original${i}`);
    return names.map((name) => this.#fields[name] as Tensor);
  }

  /** Is there one original, of which the value is a function? */
  get isTensor(): boolean {
    return this.#count === null;
  }

  override namedChildren(): [string, AnyModule][] {
    return this.#modules.map((module, i) => [String(i), module]);
  }

  get length(): number {
    return this.#modules.length;
  }

  /** The parametrization at a place. */
  at(index: number): Parametrization {
    const module = this.#modules.at(index);
    if (module !== undefined) return module;
    throw opError(ArgumentError, 'ParametrizationList', `there is no parametrization ${index}`);
  }

  /** Adds one that takes what the others give. */
  append(module: Parametrization): void {
    this.#modules.push(module);
    modulesChanged();
  }

  /** The value: the originals through all parametrizations. */
  forward(): Tensor {
    const [first, ...others] = this.#modules;
    return others.reduce((x, module) => module.call(x), first!.call(...this.originals));
  }

  /** Changes the originals so that the value becomes `value`. */
  rightInverse(value: Tensor): void {
    noGrad(() => this.#store(this.#inverse(value, true)));
  }

  #inverse(value: Tensor, required: boolean): Tensor | readonly Tensor[] {
    let found: Tensor | readonly Tensor[] = value;
    for (const module of this.#modules.toReversed()) {
      if (module.rightInverse !== undefined) found = module.rightInverse(found as Tensor);
      else if (required) {
        const { name } = module.constructor;
        throw opError(ArgumentError, name, 'has no rightInverse, so no value can be assigned');
      }
    }
    return found;
  }

  #store(values: Tensor | readonly Tensor[]): void {
    const list = values instanceof Tensor ? [values] : values;
    const { originals } = this;
    if (list.length !== originals.length) {
      const counts = `rightInverse gave ${list.length} tensors, needs ${originals.length}`;
      throw opError(ArgumentError, OP, counts);
    }
    for (const [i, original] of originals.entries()) {
      const value = list[i]!.detach();
      checkSame('rightInverse gave', value, original);
      if (list[i] !== original) original.copy_(value).realize();
    }
  }

  override toString(): string {
    return moduleText(this.constructor.name, '', listParts(this.#modules));
  }
}

/** Throws unless a tensor has the dtype and the shape of another one. */
export function checkSame(what: string, found: Tensor, expected: Tensor): void {
  if (found.dtype !== expected.dtype) {
    throw opError(DTypeError, OP, `${what} ${found.dtype}, needs ${expected.dtype}`);
  }
  if (sameShape(found.shape, expected.shape)) return;
  const shapes = `${formatShape(found.shape)}, needs ${formatShape(expected.shape)}`;
  throw opError(ShapeError, OP, `${what} shape ${shapes}; unsafe allows it`);
}

/** The values computed within `cached`; a compiled step has its own. */
let cache: Map<Trace | undefined, Map<ParametrizationList, Tensor>> | undefined;

/**
 * Runs `body`, which must be synchronous; in it each parametrized tensor is computed once, however
 * often it is read.
 * https://pytorch.org/docs/stable/generated/torch.nn.utils.parametrize.cached.html
 */
export function cached<T>(body: () => T): T {
  const before = cache;
  cache ??= new Map();
  try {
    return body();
  } finally {
    cache = before;
  }
}

export function currentValue(list: ParametrizationList): Tensor {
  if (cache === undefined) return list.call();
  const trace = currentTrace();
  const values = cache.get(trace) ?? new Map<ParametrizationList, Tensor>();
  cache.set(trace, values);
  const value = values.get(list) ?? list.call();
  values.set(list, value);
  return value;
}
