/**
 * Parametrizations: a parameter that is computed from others, such as one of norm 1. The module
 * keeps the originals under `parametrizations`, and the field of the parameter computes its value
 * whenever it is read.
 * https://pytorch.org/docs/stable/generated/torch.nn.utils.parametrize.register_parametrization.html
 */

import { ArgumentError, opError } from '../../base/errors.ts';
import { sameShape } from '../../base/shape.ts';
import { noGrad } from '../../core/grad-mode.ts';
import { Tensor } from '../../core/tensor.ts';
import { type Named, named } from '../../ops/named.ts';
import { ModuleDict } from '../container.ts';
import { type AnyModule, Buffer, Parameter } from '../module.ts';
import {
  checkSame,
  currentValue,
  type Parametrization,
  ParametrizationList,
} from './parametrization-list.ts';

export { cached, type Parametrization, ParametrizationList } from './parametrization-list.ts';

const OP = 'register_parametrization';
type Fields = Record<string, unknown>;
const fieldsOf = (module: AnyModule) => module as unknown as Fields;

/**
 * A function of a module that gives it back, by its own type, and takes other arguments by name.
 */
export type ModuleFunction<F> = (<M extends AnyModule>(module: M, ...rest: Rest<F>) => M) & F;
type Rest<F> = F extends (...args: infer Args) => unknown
  ? Args extends [unknown, ...infer Others]
    ? Others
    : never
  : never;

/** `named`, for a function whose first argument is a module that it gives back. */
export function moduleFunction<F, const Names extends readonly string[]>(
  op: string,
  names: Names,
  fn: F,
): ModuleFunction<Named<F, Names>> {
  return named(op, names, fn) as ModuleFunction<Named<F, Names>>;
}

const dictOf = (module: AnyModule) => {
  const dict = fieldsOf(module).parametrizations;
  return dict instanceof ModuleDict ? (dict as ModuleDict<ParametrizationList>) : undefined;
};

/** Classes that stand for those of parametrized modules, with the class each stands for. */
const replaced = new WeakMap<object, object>();

/** Gives `module` a class of its own, in which fields can be computed. */
function replaceClass(module: AnyModule): void {
  const Base = module.constructor as new () => object;
  const name = `Parametrized${Base.name}`;
  const { [name]: Class } = { [name]: class extends Base {} };
  replaced.set(Class!.prototype, Object.getPrototypeOf(module) as object);
  Object.setPrototypeOf(module, Class!.prototype as object);
}

function defineField(module: AnyModule, name: string, list: ParametrizationList): void {
  Object.defineProperty(Object.getPrototypeOf(module), name, {
    configurable: true,
    get: () => currentValue(list),
    set: (value: Tensor) => list.rightInverse(value),
  });
}

/**
 * Makes the parameter or buffer `tensor_name` of `module` what `parametrization` computes of it, or
 * adds one more function after those that are there. A parameter of one original stays the same
 * tensor, at another place; where there are several originals, make the optimizer afterwards.
 *
 * @param unsafe allows that dtype or shape change, and leaves out the checks.
 * @throws ArgumentError when there is no such tensor, ShapeError and DTypeError when the
 *   parametrization or its `rightInverse` changes more than it may.
 */
export const registerParametrization = moduleFunction(
  OP,
  ['module', 'tensor_name', 'parametrization', 'unsafe'],
  (
    module: AnyModule,
    tensor_name: string,
    parametrization: Parametrization,
    unsafe = false,
  ): AnyModule => {
    parametrization.train(module.training);
    const known = dictOf(module)?.get(tensor_name);
    if (known === undefined) begin(module, tensor_name, parametrization, unsafe);
    else {
      if (!unsafe) checkAppended(known, parametrization);
      known.append(parametrization);
    }
    return module;
  },
);

function begin(
  module: AnyModule,
  name: string,
  parametrization: Parametrization,
  unsafe: boolean,
): void {
  const fields = fieldsOf(module);
  const original = fields[name];
  if (!(original instanceof Parameter || original instanceof Buffer)) {
    const message = `${module.constructor.name} has no parameter or buffer ${name}`;
    throw opError(ArgumentError, OP, message);
  }
  const { dtype, shape } = original;
  const before = new Tensor(original.value);
  const list = new ParametrizationList([parametrization], original);
  list.train(module.training);
  if (!unsafe) {
    const value = noGrad(() => list.call());
    if (value.dtype !== dtype || !sameShape(value.shape, shape)) {
      checkSame('the parametrization gave', value, before);
    }
  }
  delete fields[name];
  if (dictOf(module) === undefined) {
    replaceClass(module);
    fields.parametrizations = new ModuleDict<ParametrizationList>();
  }
  defineField(module, name, list);
  dictOf(module)!.set(name, list);
}

function checkAppended(list: ParametrizationList, parametrization: Parametrization): void {
  noGrad(() => {
    const before = list.call();
    const value = parametrization.call(before) as Tensor;
    checkSame('the parametrization gave', value, before);
    const inverse = parametrization.rightInverse?.(value);
    if (inverse === undefined) return;
    if (!(inverse instanceof Tensor)) {
      const message = 'only the first parametrization may have several originals';
      throw opError(ArgumentError, OP, message);
    }
    checkSame('rightInverse gave', inverse, before);
  });
}

/**
 * Is any tensor of `module` parametrized, or this one?
 * https://pytorch.org/docs/stable/generated/torch.nn.utils.parametrize.is_parametrized.html
 */
export const isParametrized = named(
  'is_parametrized',
  ['module', 'tensor_name'],
  (module: AnyModule, tensor_name: string | null = null): boolean => {
    const dict = dictOf(module);
    return dict !== undefined && (tensor_name === null ? dict.size > 0 : dict.has(tensor_name));
  },
);

/** The class of `module`, or the one it had before anything of it was parametrized. */
export function typeBeforeParametrizations(module: AnyModule): { readonly name: string } {
  const prototype = replaced.get(Object.getPrototypeOf(module) as object);
  return (prototype?.constructor ?? module.constructor) as { readonly name: string };
}

/**
 * Makes `tensor_name` a parameter or buffer again, of its present value; with `leave_parametrized:
 * false` of the original.
 * https://pytorch.org/docs/stable/generated/torch.nn.utils.parametrize.remove_parametrizations.html
 *
 * @throws ArgumentError when it is not parametrized, or its original is wanted and it has several.
 */
export const removeParametrizations = moduleFunction(
  'remove_parametrizations',
  ['module', 'tensor_name', 'leave_parametrized'],
  (module: AnyModule, tensor_name: string, leave_parametrized = true): AnyModule => {
    const list = dictOf(module)?.get(tensor_name);
    if (list === undefined) {
      const message = `${module.constructor.name} has no parametrization of ${tensor_name}`;
      throw opError(ArgumentError, 'remove_parametrizations', message);
    }
    if (!leave_parametrized && !list.isTensor) {
      const message = `${tensor_name} has several originals, and none that could be left`;
      throw opError(ArgumentError, 'remove_parametrizations', message);
    }
    const tensor = leave_parametrized ? settled(list) : list.originals[0]!;
    const prototype = Object.getPrototypeOf(module) as Fields;
    delete prototype[tensor_name];
    dictOf(module)!.delete(tensor_name);
    if (dictOf(module)!.size === 0) {
      delete fieldsOf(module).parametrizations;
      Object.setPrototypeOf(module, replaced.get(prototype)!);
    }
    fieldsOf(module)[tensor_name] = tensor;
    return module;
  },
);

/** A parameter or buffer that holds the present value: the only original where its shape allows. */
function settled(list: ParametrizationList): Tensor {
  const value = noGrad(() => list.call().realize());
  const [original] = list.originals;
  const isSame = sameShape(value.shape, original!.shape) && value.dtype === original!.dtype;
  if (list.isTensor && isSame) return noGrad(() => original!.copy_(value).realize());
  return original instanceof Buffer
    ? new Buffer(value)
    : new Parameter(value, original!.requires_grad);
}
