/** Recurrent layers: what they have in common, and LSTM. */

import { z } from 'zod';
import { ArgumentError, opError, ShapeError } from '../base/errors.ts';
import { strict } from '../base/registry.ts';
import { formatShape, sameShape } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { zeros } from '../ops/creation.ts';
import { cat, stack } from '../ops/joining.ts';
import { linear } from '../ops/matmul.ts';
import { add } from '../ops/pointwise.ts';
import { lstm } from '../ops/recurrent.ts';
import { dropout } from './functional/dropout.ts';
import { uniform_ } from './init.ts';
import { Module, Parameter } from './module.ts';
import { inferredSize, modules, schemas } from './registry.ts';

const NO_PROJECTIONS = 'projections are not supported: proj_size must be 0';

const options = strict({
  /** May be left out where the input is known. */
  input_size: schemas.size.optional(),
  hidden_size: schemas.size,
  num_layers: schemas.size.default(1),
  bias: z.boolean().default(true),
  batch_first: z.boolean().default(false),
  /** Between layers. */
  dropout: schemas.probability.default(0),
  bidirectional: z.boolean().default(false),
  proj_size: z.literal(0, NO_PROJECTIONS).default(0),
});

export type RecurrentOptions = z.input<typeof options> & { input_size: number };

/** The weights of one direction of one layer, as the fields of the module hold them. */
interface Cell {
  readonly weight_ih: Parameter;
  readonly weight_hh: Parameter;
  readonly bias_ih?: Parameter;
  readonly bias_hh?: Parameter;
}

/**
 * Layers of cells over sequences, in one or both directions. A subclass says how many gates a cell
 * has and how one direction runs; `State` is what it carries from step to step.
 */
abstract class Recurrent<State extends readonly Tensor[]> extends Module<
  [input: Tensor, state?: State],
  [output: Tensor, state: State]
> {
  readonly input_size: number;
  readonly hidden_size: number;
  readonly num_layers: number;
  readonly bias: boolean;
  readonly batch_first: boolean;
  readonly dropout: number;
  readonly bidirectional: boolean;
  /** Layer after layer, the forward direction before the reverse one. */
  readonly #cells: readonly Cell[];
  readonly #stateCount: number;

  constructor(given: RecurrentOptions, gates: number, states: number) {
    super();
    const { input_size, hidden_size, num_layers = 1, bias = true } = given;
    if (given.proj_size) {
      throw new ArgumentError(`[${new.target.name}] ${NO_PROJECTIONS}`);
    }
    this.input_size = input_size;
    this.hidden_size = hidden_size;
    this.num_layers = num_layers;
    this.bias = bias;
    this.batch_first = given.batch_first ?? false;
    this.dropout = given.dropout ?? 0;
    this.bidirectional = given.bidirectional ?? false;
    this.#stateCount = states;
    this.#cells = Array.from({ length: num_layers * this.#directions }, (_, i) =>
      this.#makeCell(i, gates),
    );
    this.resetParameters();
  }

  /** The output (B, T, H) or (T, B, H) of one direction of one layer, and its last state. */
  protected abstract run(
    gates: Tensor,
    weight_hh: Tensor,
    state: State,
    reverse: boolean,
  ): [output: Tensor, state: State];

  /** Draws new initial values: uniform within 1 / sqrt(hidden_size). */
  resetParameters(): void {
    const bound = 1 / Math.sqrt(this.hidden_size);
    for (const parameter of this.parameters()) uniform_(parameter, -bound, bound);
  }

  /**
   * @param input (T, B, input_size), (B, T, input_size) if `batch_first`, or (T, input_size).
   * @param state each tensor (num_layers * directions, B, hidden_size), without B if the input has
   *   none; zeros where it is left out.
   * @returns the last layer's output at every step, directions side by side, and the last state.
   * @throws ShapeError when a size does not fit.
   */
  forward(input: Tensor, state?: State): [output: Tensor, state: State] {
    const batched = this.#batched(input);
    const states = this.#statesFor(batched, input.ndim === 2, state);
    const last: State[] = [];
    let value = batched;
    for (let layer = 0; layer < this.num_layers; layer++) {
      if (layer > 0) value = dropout(value, this.dropout, this.training);
      const outputs: Tensor[] = [];
      for (let direction = 0; direction < this.#directions; direction++) {
        const at = layer * this.#directions + direction;
        const first = states.map((tensor) => tensor.select(0, at)) as readonly Tensor[] as State;
        const [output, end] = this.#runCell(this.#cells[at]!, value, first, direction === 1);
        outputs.push(output);
        last.push(end);
      }
      value = outputs.length === 1 ? outputs[0]! : cat(outputs, -1);
    }
    const ends = states.map((_, i) => stack(last.map((end) => end[i]!)));
    const unbatched = input.ndim === 2;
    const result = unbatched ? ends.map((end) => end.squeeze(1)) : ends;
    const output = unbatched ? value.squeeze(this.batch_first ? 0 : 1) : value;
    return [output, result as readonly Tensor[] as State];
  }

  protected override describe(): string {
    const extra = [
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

  /** Makes the parameters of cell `index` fields of this module, under PyTorch's names. */
  #makeCell(index: number, gates: number): Cell {
    const layer = Math.floor(index / this.#directions);
    const suffix = `_l${layer}${index % this.#directions === 1 ? '_reverse' : ''}`;
    const inputs = layer === 0 ? this.input_size : this.hidden_size * this.#directions;
    const rows = gates * this.hidden_size;
    const make = (name: string, ...shape: number[]) => {
      const parameter = new Parameter(zeros(shape));
      Object.assign(this, { [name + suffix]: parameter });
      return parameter;
    };
    const weights = {
      weight_ih: make('weight_ih', rows, inputs),
      weight_hh: make('weight_hh', rows, this.hidden_size),
    };
    if (!this.bias) return weights;
    return { ...weights, bias_ih: make('bias_ih', rows), bias_hh: make('bias_hh', rows) };
  }

  #runCell(cell: Cell, input: Tensor, state: State, reverse: boolean): [Tensor, State] {
    const { weight_ih, weight_hh, bias_ih, bias_hh } = cell;
    const bias = bias_ih && bias_hh ? add(bias_ih, bias_hh) : null;
    return this.run(linear(input, weight_ih, bias), weight_hh, state, reverse);
  }

  /** The input with a batch dimension. */
  #batched(input: Tensor): Tensor {
    const fits = (input.ndim === 2 || input.ndim === 3) && input.shape.at(-1) === this.input_size;
    if (!fits) {
      const sizes = this.batch_first ? 'batch, steps' : 'steps, batch';
      throw opError(
        ShapeError,
        this.constructor.name,
        `input has shape ${formatShape(input.shape)}, needs (${sizes}, ${this.input_size}) ` +
          `or (steps, ${this.input_size})`,
      );
    }
    return input.ndim === 3 ? input : input.unsqueeze(this.batch_first ? 0 : 1);
  }

  /** The states to begin with, each (layers * directions, B, hidden_size). */
  #statesFor(batched: Tensor, unbatched: boolean, given?: State): readonly Tensor[] {
    const cells = this.num_layers * this.#directions;
    const expected = [cells, batched.shape[this.batch_first ? 0 : 1]!, this.hidden_size];
    if (given === undefined) {
      return Array.from({ length: this.#stateCount }, () =>
        zeros(expected, { dtype: batched.dtype }),
      );
    }
    return given.map((tensor) => {
      const whole = unbatched && tensor.ndim === 2 ? tensor.unsqueeze(1) : tensor;
      if (sameShape(whole.shape, expected)) return whole;
      throw opError(
        ShapeError,
        this.constructor.name,
        `a state has shape ${formatShape(tensor.shape)}, needs ${formatShape(expected)}`,
      );
    });
  }
}

/**
 * Long short-term memory (Hochreiter & Schmidhuber 1997). Gives the output of every step and the
 * last state, [output, [h, c]]; a Sequential passes the output on.
 * https://pytorch.org/docs/stable/generated/torch.nn.LSTM.html
 *
 * @throws ArgumentError for `proj_size` other than 0: projections are not supported.
 */
export class LSTM extends Recurrent<[h: Tensor, c: Tensor]> {
  constructor(given: RecurrentOptions) {
    super(given, 4, 2);
  }

  protected run(
    gates: Tensor,
    weight_hh: Tensor,
    state: [h: Tensor, c: Tensor],
    reverse: boolean,
  ): [output: Tensor, state: [h: Tensor, c: Tensor]] {
    return lstm(gates, weight_hh, state, { batch_first: this.batch_first, reverse });
  }
}

modules.register('LSTM', {
  schema: options,
  create: (given: z.output<typeof options>, { input }) =>
    new LSTM({
      ...given,
      input_size: inferredSize('LSTM', 'input_size', given.input_size, input?.shape.at(-1)),
    }),
});
