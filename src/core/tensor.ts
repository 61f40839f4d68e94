/**
 * Tensor: the handle users hold. It points at a value of the graph; in-place methods and optimizers
 * point it at another one. Ops are attached in `ops/methods.ts`.
 */

import type { DType, HostArray } from '../base/dtype.ts';
import { isFloating } from '../base/dtype.ts';
import { ArgumentError, AutogradError, opError, ShapeError } from '../base/errors.ts';
import { formatShape, numel, type Shape, sameShape } from '../base/shape.ts';
import type { Storage } from '../engine/engine.ts';
import { formatTensor, type NestedNumbers, nest } from './format.ts';
import type { Value } from './graph.ts';
import { valueType } from './graph.ts';
import { bufferLeaf, variableOf } from './leaf.ts';
import { read, readSync, realizeSync, storageOf } from './realize.ts';
import { currentTrace, forbidReading } from './trace.ts';

export class Tensor {
  /** The accumulated gradient of a leaf that requires one; `null` before the first backward. */
  #grad: Tensor | null = null;
  #value: Value;
  /** Whether anything beside this tensor may hold the present value. */
  #shared = true;

  constructor(value: Value) {
    this.#value = value;
  }

  /** The graph value this tensor stands for. */
  get value(): Value {
    this.#shared = true;
    return this.#value;
  }

  get shape(): Shape {
    return valueType(this.#value).shape;
  }

  get dtype(): DType {
    return valueType(this.#value).dtype;
  }

  /** The number of dimensions. */
  get ndim(): number {
    return this.shape.length;
  }

  /** The size of dimension `dim`, or the whole shape. */
  size(): Shape;
  size(dim: number): number;
  size(dim?: number): Shape | number {
    if (dim === undefined) return this.shape;
    const size = this.shape.at(dim);
    if (size === undefined) {
      throw opError(ArgumentError, 'size', `dim ${dim} of a tensor of ${this.ndim} dimensions`);
    }
    return size;
  }

  /** The number of elements. */
  numel(): number {
    return numel(this.shape);
  }

  get requires_grad(): boolean {
    return this.#value.node.requires_grad && isFloating(this.dtype);
  }

  /** True for tensors that gradients end at: parameters, data, everything made without grad. */
  get is_leaf(): boolean {
    return !this.requires_grad || this.#value.node.variable !== undefined;
  }

  get grad(): Tensor | null {
    return this.#grad;
  }

  set grad(gradient: Tensor | null) {
    const trace = currentTrace();
    if (trace !== undefined && !trace.gradients.has(this)) trace.gradients.set(this, this.#grad);
    this.#grad = gradient;
  }

  /** Makes this a leaf that collects a gradient (or stops doing so). Returns itself. */
  requires_grad_(requires_grad = true): this {
    if (requires_grad && !isFloating(this.dtype)) {
      throw opError(
        AutogradError,
        'requires_grad_',
        `only floating point tensors can require gradients, this one is ${this.dtype}`,
      );
    }
    if (!this.is_leaf) {
      throw opError(AutogradError, 'requires_grad_', 'only leaf tensors; use detach() first');
    }
    if (requires_grad === this.requires_grad) return this;
    this.#point(this.#leafOver(this.#value, requires_grad));
    return this;
  }

  /** The same value, cut off from the graph that gradients walk. */
  detach(): Tensor {
    return new Tensor(variableOf(this.value, false));
  }

  /**
   * Points this tensor at another value of the same type: what every in-place method does.
   * A leaf that requires a gradient stays one.
   */
  rebind(next: Value): this {
    const { dtype, shape } = valueType(next);
    if (dtype !== this.dtype || !sameShape(shape, this.shape)) {
      throw opError(
        ShapeError,
        'in-place',
        `a ${this.dtype} tensor of shape ${formatShape(this.shape)} cannot take ` +
          `${dtype} ${formatShape(shape)}`,
      );
    }
    return this.exchange(next);
  }

  /** `rebind` to a value of any type, such as a parameter's in another precision. */
  exchange(next: Value): this {
    this.#point(this.requires_grad && this.is_leaf ? this.#leafOver(next, true) : next);
    return this;
  }

  #leafOver(value: Value, requires_grad: boolean): Value {
    const leaf = variableOf(value, requires_grad);
    if (requires_grad) leaf.node.variable = this;
    return leaf;
  }

  #point(next: Value): void {
    const trace = currentTrace();
    if (trace?.isOlder(this.#value) && !trace.rebound.has(this)) {
      trace.rebound.set(this, this.#value);
    }
    if (trace === undefined) this.#value.node.successor = next;
    this.#value = next;
    this.#shared = true;
  }

  /** Puts back a value that a trace replaced. */
  restore(value: Value): void {
    this.#value = value;
    this.#shared = true;
  }

  /** The buffer of the value, computed first where needed; for those who overwrite it. */
  buffer(): Storage {
    if (this.#value.node.storages[this.#value.index] === undefined) realizeSync([this.#value]);
    return storageOf(this.#value);
  }

  /**
   * Goes on with the same buffer after a compiled step has overwritten it. Whoever holds the old
   * value holds a void one; when nobody does, there is nothing to replace.
   */
  overwritten(): void {
    if (!this.#shared) return;
    const storage = this.buffer();
    const old = this.#value.node;
    const next = this.requires_grad
      ? this.#leafOver(this.#value, true)
      : bufferLeaf(valueType(this.#value), storage);
    next.node.realize(0, storage);
    old.overwritten = true;
    old.successor = next;
    this.#value = next;
    this.#shared = false;
  }

  /** Computes the value now, if it is not computed yet. Returns itself. */
  realize(): this {
    forbidReading('realize');
    realizeSync([this.#value]);
    return this;
  }

  /** The contents as a flat typed array in row-major order. Does not block the event loop. */
  data(): Promise<HostArray> {
    forbidReading('data');
    return read(this.#value);
  }

  /** The contents as a flat typed array, blocking until they are computed. */
  dataSync(): HostArray {
    forbidReading('dataSync');
    return readSync(this.#value);
  }

  /** The only element as a number. */
  item(): number {
    forbidReading('item');
    if (this.numel() !== 1) {
      throw opError(
        ShapeError,
        'item',
        `needs a tensor of one element, this one has shape ${formatShape(this.shape)}`,
      );
    }
    return Number(readSync(this.#value)[0]);
  }

  /** The contents as nested arrays of numbers (booleans for bool). */
  tolist(): NestedNumbers {
    forbidReading('tolist');
    return nest(readSync(this.#value), this.shape, this.dtype);
  }

  /** Frees the buffer, if there is one. Using the tensor afterwards throws. */
  dispose(): void {
    this.#value.node.storages[this.#value.index]?.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  toString(): string {
    if (currentTrace() !== undefined) {
      return `tensor(<traced>, shape=${formatShape(this.shape)}, dtype=${this.dtype})`;
    }
    return formatTensor(readSync(this.#value), this.shape, this.dtype, this.requires_grad);
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}
