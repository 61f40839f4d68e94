/** What recurrent layers have in common. */

import { ArgumentError, DTypeError, opError, ShapeError } from '../base/errors.ts';
import { formatShape, sameShape } from '../base/shape.ts';
import { currentAutocast } from '../core/autocast.ts';
import type { Tensor } from '../core/tensor.ts';
import { zeros } from '../ops/creation.ts';
import { cat, stack } from '../ops/joining.ts';
import { linear } from '../ops/matmul.ts';
import { reshape } from '../ops/movement.ts';
import { add } from '../ops/pointwise.ts';
import { narrow } from '../ops/slicing.ts';
import { dropout } from './functional/dropout.ts';
import { uniform_ } from './init.ts';
import { Module, Parameter } from './module.ts';
import { PackedSequence, segments, take } from './utils/packed.ts';

/** The options that all kinds have. */
export interface RecurrentSizes {
  readonly input_size: number;
  readonly hidden_size: number;
  readonly num_layers: number;
  readonly bias: boolean;
  readonly batch_first: boolean;
  readonly dropout: number;
  readonly bidirectional: boolean;
  readonly proj_size?: number;
}

/** The weights of one direction of one layer, as the fields of the module hold them. */
interface Cell {
  readonly weight_ih: Tensor;
  readonly weight_hh: Tensor;
  readonly bias_ih?: Tensor;
  readonly bias_hh?: Tensor;
  readonly weight_hr?: Tensor;
}

/** A sequence of one direction of one layer: the inputs' part of the gate sums, and how it runs. */
export interface Run<State> {
  readonly gates: Tensor;
  readonly cell: Cell;
  readonly state: State;
  readonly batch_first: boolean;
  readonly reverse: boolean;
}

/** What the kinds of layers differ in. */
interface Kind {
  readonly gates: number;
  readonly states: number;
  /** Does the step add `bias_hh` itself, instead of it being part of the inputs' sums? */
  readonly own_bias: boolean;
}

/**
 * Layers of cells over sequences, in one or both directions. A subclass says how many gates a cell
 * has and how one direction runs; `State` is what it carries from step to step.
 */
export abstract class Recurrent<State extends readonly Tensor[], Given = State> extends Module<
  [input: Tensor, state?: Given | null],
  [output: Tensor, state: Given]
> {
  readonly input_size: number;
  readonly hidden_size: number;
  readonly num_layers: number;
  readonly bias: boolean;
  readonly batch_first: boolean;
  readonly dropout: number;
  readonly bidirectional: boolean;
  readonly proj_size: number;
  readonly #kind: Kind;

  constructor(options: RecurrentSizes, kind: Kind) {
    super();
    this.input_size = options.input_size;
    this.hidden_size = options.hidden_size;
    this.num_layers = options.num_layers;
    this.bias = options.bias;
    this.batch_first = options.batch_first;
    this.dropout = options.dropout;
    this.bidirectional = options.bidirectional;
    this.proj_size = options.proj_size ?? 0;
    this.#kind = kind;
    if (this.proj_size >= this.hidden_size) {
      const message = `proj_size ${this.proj_size} must be less than hidden_size`;
      throw opError(ArgumentError, new.target.name, `${message} ${this.hidden_size}`);
    }
    // Layer after layer, the forward direction before the reverse one.
    for (let i = 0; i < this.num_layers * this.#directions; i++) this.#makeCell(i);
    this.resetParameters();
  }

  /** The output (B, T, H) or (T, B, H) of one direction of one layer, and its last state. */
  protected abstract run(run: Run<State>): [output: Tensor, state: State];

  /** A state as it is given and returned: a tensor alone or several. */
  protected abstract pack(state: State): Given;
  protected abstract unpack(state: Given): State;

  /** Draws new initial values: uniform within 1 / sqrt(hidden_size). */
  resetParameters(): void {
    const bound = 1 / Math.sqrt(this.hidden_size);
    for (const parameter of this.parameters()) uniform_(parameter, -bound, bound);
  }

  override call(input: PackedSequence, state?: Given | null): [PackedSequence, Given];
  override call(input: Tensor, state?: Given | null): [Tensor, Given];
  override call(input: never, state?: Given | null): [never, Given] {
    return super.call(input, state) as [never, Given];
  }

  /**
   * @param input (T, B, input_size), (B, T, input_size) if `batch_first`, or (T, input_size); or a
   *   PackedSequence.
   * @param state each tensor (num_layers * directions, B, hidden_size), h of proj_size if there is
   *   one; without B if the input has none; zeros where it is left out.
   * @returns the last layer's output at every step, directions side by side, and the last state.
   * @throws ShapeError when a size does not fit, DTypeError when input and weights differ.
   */
  forward(input: PackedSequence, state?: Given | null): [output: PackedSequence, state: Given];
  forward(input: Tensor, state?: Given | null): [output: Tensor, state: Given];
  forward(
    input: Tensor | PackedSequence,
    state?: Given | null,
  ): [output: Tensor | PackedSequence, state: Given] {
    const first = state == null ? undefined : this.unpack(state);
    if (input instanceof PackedSequence) return this.#forwardPacked(input, first);
    const batched = this.#batched(input);
    const unbatched = input.ndim === 2;
    const batch = batched.shape[this.batch_first ? 0 : 1]!;
    const states = this.#statesFor(batched, batch, unbatched, first);
    const [value, ends] = this.#layers(batched, states, (run) => this.run(run));
    const last = unbatched ? ends.map((end) => end.squeeze(1)) : ends;
    const output = unbatched ? value.squeeze(this.batch_first ? 0 : 1) : value;
    return [output, this.pack(last as readonly Tensor[] as State)];
  }

  #forwardPacked(input: PackedSequence, first?: State): [PackedSequence, Given] {
    const { data, batch_sizes, sorted_indices, unsorted_indices } = input;
    this.#checkInput(data, data.ndim === 2);
    const sorted = first?.map((x) => (sorted_indices ? take(x, 1, sorted_indices) : x));
    const given = sorted as readonly Tensor[] | undefined as State | undefined;
    const states = this.#statesFor(data, batch_sizes[0]!, false, given);
    const [output, ends] = this.#layers(data, states, (run) => this.#runPacked(run, batch_sizes));
    const last = ends.map((x) => (unsorted_indices ? take(x, 1, unsorted_indices) : x));
    return [
      new PackedSequence(output, batch_sizes, sorted_indices, unsorted_indices),
      this.pack(last as readonly Tensor[] as State),
    ];
  }

  /** All layers over `input`; the states are of all layers and directions. */
  #layers(
    input: Tensor,
    states: readonly Tensor[],
    run: (run: Run<State>) => [output: Tensor, state: State],
  ): [output: Tensor, states: Tensor[]] {
    const last: State[] = [];
    let value = input;
    for (let layer = 0; layer < this.num_layers; layer++) {
      if (layer > 0) value = dropout(value, this.dropout, this.training);
      const outputs: Tensor[] = [];
      for (let direction = 0; direction < this.#directions; direction++) {
        const at = layer * this.#directions + direction;
        const cell = this.#cell(at);
        const state = states.map((tensor) => tensor.select(0, at)) as readonly Tensor[] as State;
        const gates = this.#gates(cell, value);
        const [output, end] = run({
          ...{ gates, cell, state, batch_first: this.batch_first },
          reverse: direction === 1,
        });
        outputs.push(output);
        last.push(end);
      }
      value = outputs.length === 1 ? outputs[0]! : cat(outputs, -1);
    }
    return [value, states.map((_, i) => stack(last.map((end) => end[i]!)))];
  }

  /** The inputs' part of the gate sums, with all biases that do not depend on the state. */
  #gates({ weight_ih, bias_ih, bias_hh }: Cell, input: Tensor): Tensor {
    if (!bias_ih || !bias_hh) return linear(input, weight_ih);
    return linear(input, weight_ih, this.#kind.own_bias ? bias_ih : add(bias_ih, bias_hh));
  }

  /**
   * One direction over packed gates (rows, ...): steps with as many sequences run together.
   * Forward, sequences leave as they end; in reverse they join.
   */
  #runPacked(run: Run<State>, batch_sizes: readonly number[]): [output: Tensor, state: State] {
    const rows = (state: State, start: number, count: number) =>
      state.map((x) => narrow(x, 0, start, count)) as readonly Tensor[] as State;
    const join = (a: State, b: State) =>
      a.map((x, i) => cat([x, b[i]!], 0)) as readonly Tensor[] as State;
    const parts = segments(batch_sizes);
    const order = run.reverse ? parts.map((_, i) => i).reverse() : parts.map((_, i) => i);
    const outputs: Tensor[] = [];
    let ended: State | undefined;
    let state = rows(run.state, 0, parts[order[0]!]!.batch);
    for (const i of order) {
      const { start, steps, batch } = parts[i]!;
      const now = state[0]!.shape[0]!;
      if (batch > now) state = join(state, rows(run.state, now, batch - now));
      if (batch < now) {
        const leaving = rows(state, batch, now - batch);
        ended = ended === undefined ? leaving : join(leaving, ended);
        state = rows(state, 0, batch);
      }
      const gates = narrow(run.gates, 0, start, steps * batch);
      const shaped = reshape(gates, [steps, batch, gates.shape[1]!]);
      const [output, end] = this.run({ ...run, gates: shaped, state, batch_first: false });
      outputs[i] = reshape(output, [steps * batch, output.shape[2]!]);
      state = end;
    }
    return [cat(outputs, 0), ended === undefined ? state : join(state, ended)];
  }

  override extraRepr(): string {
    const extra = [
      this.proj_size === 0 ? [] : [`proj_size=${this.proj_size}`],
      this.num_layers === 1 ? [] : [`num_layers=${this.num_layers}`],
      this.bias ? [] : ['bias=False'],
      this.batch_first ? ['batch_first=True'] : [],
      this.dropout === 0 ? [] : [`dropout=${this.dropout}`],
      this.bidirectional ? ['bidirectional=True'] : [],
    ];
    return [this.input_size, this.hidden_size, ...extra.flat()].join(', ');
  }

  get #directions(): number {
    return this.bidirectional ? 2 : 1;
  }

  /** The size of h: that of the projection, if there is one. */
  get #outputs(): number {
    return this.proj_size || this.hidden_size;
  }

  /** What the names of the parameters of cell `index` end with. */
  #suffix(index: number): string {
    const layer = Math.floor(index / this.#directions);
    return `_l${layer}${index % this.#directions === 1 ? '_reverse' : ''}`;
  }

  /** Makes the parameters of cell `index` fields of this module, under PyTorch's names. */
  #makeCell(index: number): void {
    const isFirst = index < this.#directions;
    const inputs = isFirst ? this.input_size : this.#outputs * this.#directions;
    const rows = this.#kind.gates * this.hidden_size;
    const make = (name: string, ...shape: number[]) => {
      Object.assign(this, { [name + this.#suffix(index)]: new Parameter(zeros(shape)) });
    };
    make('weight_ih', rows, inputs);
    make('weight_hh', rows, this.#outputs);
    if (this.bias) for (const name of ['bias_ih', 'bias_hh']) make(name, rows);
    if (this.proj_size > 0) make('weight_hr', this.proj_size, this.hidden_size);
  }

  /** The weights of cell `index`, from the fields: they may be computed, by a parametrization. */
  #cell(index: number): Cell {
    const fields = this as unknown as Record<string, Tensor>;
    const names = ['weight_ih', 'weight_hh', 'bias_ih', 'bias_hh', 'weight_hr'] as const;
    const entries = names.map((name) => [name, fields[name + this.#suffix(index)]] as const);
    return Object.fromEntries(entries) as unknown as Cell;
  }

  #checkInput(input: Tensor, hasRank: boolean): void {
    const name = this.constructor.name;
    if (!hasRank || input.shape.at(-1) !== this.input_size) {
      const sizes = this.batch_first ? 'batch, steps' : 'steps, batch';
      throw opError(
        ShapeError,
        name,
        `input has shape ${formatShape(input.shape)}, needs (${sizes}, ${this.input_size}) ` +
          `or (steps, ${this.input_size})`,
      );
    }
    const { dtype } = this.parameters()[0]!;
    if (input.dtype === dtype || currentAutocast() !== undefined) return;
    throw opError(DTypeError, name, `input is ${input.dtype}, the weights are ${dtype}`);
  }

  /** The input with a batch dimension. */
  #batched(input: Tensor): Tensor {
    this.#checkInput(input, input.ndim === 2 || input.ndim === 3);
    if (input.shape[this.batch_first && input.ndim === 3 ? 1 : 0] === 0) {
      const shape = formatShape(input.shape);
      throw opError(
        ShapeError,
        this.constructor.name,
        `input has shape ${shape}: there is no step`,
      );
    }
    return input.ndim === 3 ? input : input.unsqueeze(this.batch_first ? 0 : 1);
  }

  /** The states to begin with, each (layers * directions, B, its size). */
  #statesFor(input: Tensor, batch: number, unbatched: boolean, state?: State): readonly Tensor[] {
    const cells = this.num_layers * this.#directions;
    const sizes = [this.#outputs, this.hidden_size].slice(0, this.#kind.states);
    return sizes.map((size, i) => {
      const expected = [cells, batch, size];
      const tensor = state?.[i];
      if (tensor === undefined) return zeros(expected, { dtype: input.dtype });
      const whole = unbatched && tensor.ndim === 2 ? tensor.unsqueeze(1) : tensor;
      if (sameShape(whole.shape, expected) && tensor.ndim === (unbatched ? 2 : 3)) return whole;
      throw opError(
        ShapeError,
        this.constructor.name,
        `a state has shape ${formatShape(tensor.shape)}, needs ${formatShape(expected)}`,
      );
    });
  }
}
