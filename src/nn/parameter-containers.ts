/** Modules made of parameters. */

import type { Tensor } from '../core/tensor.ts';
import { Container, type Entries, entriesOf, placeOf } from './container-parts.ts';
import { Parameter } from './module.ts';

/** Tensors become parameters; parameters stay themselves. */
const asParameter = (x: Tensor) => (x instanceof Parameter ? x : new Parameter(x.detach()));

/**
 * Parameters by name. https://pytorch.org/docs/stable/generated/torch.nn.ParameterDict.html
 */
export class ParameterDict extends Container {
  constructor(parameters: Entries<Tensor> = {}) {
    super();
    this.update(parameters);
  }

  /** Parameters are fields, as those of any module. */
  get #fields(): Record<string, Parameter> {
    return this as unknown as Record<string, Parameter>;
  }

  get size(): number {
    return this.keys().length;
  }

  *[Symbol.iterator](): Generator<[string, Parameter]> {
    for (const name of this.keys()) yield [name, this.#fields[name]!];
  }

  get(name: string): Parameter | undefined {
    return Object.hasOwn(this, name) ? this.#fields[name] : undefined;
  }

  set(name: string, parameter: Tensor): this {
    Object.defineProperty(this, name, {
      value: asParameter(parameter),
      ...{ configurable: true, enumerable: true, writable: true },
    });
    return this;
  }

  has(name: string): boolean {
    return Object.hasOwn(this, name);
  }

  delete(name: string): boolean {
    return this.has(name) && delete this.#fields[name];
  }

  keys(): string[] {
    return Object.keys(this);
  }

  values(): Parameter[] {
    return Object.values(this.#fields);
  }

  update(parameters: Entries<Tensor>): this {
    for (const [name, parameter] of entriesOf(parameters)) this.set(name, parameter);
    return this;
  }
}

/**
 * A list of parameters. https://pytorch.org/docs/stable/generated/torch.nn.ParameterList.html
 */
export class ParameterList extends Container {
  constructor(parameters: Iterable<Tensor> = []) {
    super();
    this.extend(parameters);
  }

  get #fields(): Parameter[] {
    return Object.values(this) as Parameter[];
  }

  get length(): number {
    return this.#fields.length;
  }

  [Symbol.iterator](): Iterator<Parameter> {
    return this.#fields[Symbol.iterator]();
  }

  /** The parameter at a place, counted from the end where it is negative. */
  at(index: number): Parameter {
    return this.#fields[placeOf('ParameterList', index, this.length)]!;
  }

  append(parameter: Tensor): this {
    Object.assign(this, { [this.length]: asParameter(parameter) });
    return this;
  }

  extend(parameters: Iterable<Tensor>): this {
    for (const parameter of parameters) this.append(parameter);
    return this;
  }
}
