/** Single steps of recurrent layers. */

import { z } from 'zod';
import { opError, ShapeError } from '../base/errors.ts';
import { parseOptions, strict } from '../base/registry.ts';
import { formatShape, sameShape } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { zeros } from '../ops/creation.ts';
import { linear } from '../ops/matmul.ts';
import { gruStep, lstmStep, rnnStep, type Step } from '../ops/recurrent-steps.ts';
import { uniform_ } from './init.ts';
import { Module, Parameter } from './module.ts';
import { inferredSize, modules, schemas } from './registry.ts';

const common = { hidden_size: schemas.size, bias: z.boolean().default(true) };
const nonlinearity = z.enum(['tanh', 'relu']).default('tanh');
const cellOptions = strict({ input_size: schemas.size, ...common });
const rnnCellOptions = strict({ input_size: schemas.size, ...common, nonlinearity });

export type CellOptions = z.input<typeof cellOptions>;
export type RnnCellOptions = z.input<typeof rnnCellOptions>;

/** A cell: `State` is what it carries from step to step, `Given` how it is written. */
abstract class Cell<State extends readonly Tensor[], Given> extends Module<
  [input: Tensor, state?: Given | null],
  Given
> {
  readonly input_size: number;
  readonly hidden_size: number;
  readonly weight_ih: Parameter;
  readonly weight_hh: Parameter;
  readonly bias_ih: Parameter | null;
  readonly bias_hh: Parameter | null;

  constructor({ input_size, hidden_size, bias }: z.output<typeof cellOptions>, gates: number) {
    super();
    this.input_size = input_size;
    this.hidden_size = hidden_size;
    const rows = gates * hidden_size;
    this.weight_ih = new Parameter(zeros([rows, input_size]));
    this.weight_hh = new Parameter(zeros([rows, hidden_size]));
    this.bias_ih = bias ? new Parameter(zeros([rows])) : null;
    this.bias_hh = bias ? new Parameter(zeros([rows])) : null;
    this.resetParameters();
  }

  /** Draws new initial values: uniform within 1 / sqrt(hidden_size). */
  resetParameters(): void {
    const bound = 1 / Math.sqrt(this.hidden_size);
    for (const parameter of this.parameters()) uniform_(parameter, -bound, bound);
  }

  /** One step of state (B, hidden_size) each, for input (B, input_size); or both without B. */
  protected advance(
    step: Step<State>,
    input: Tensor,
    given: State | undefined,
    count: number,
  ): State {
    const isBatch = input.ndim === 2;
    if (!(isBatch || input.ndim === 1) || input.shape.at(-1) !== this.input_size) {
      this.#refuse('input', input, this.input_size);
    }
    const batch = isBatch ? [input.shape[0]!] : [];
    const shape = [...batch, this.hidden_size];
    for (const tensor of given ?? []) {
      if (!sameShape(tensor.shape, shape)) this.#refuse('state', tensor, this.hidden_size);
    }
    const state =
      given ?? Array.from({ length: count }, () => zeros(shape, { dtype: input.dtype }));
    const rows = (x: Tensor) => (isBatch ? x : x.unsqueeze(0));
    const gates = linear(rows(input), this.weight_ih, this.bias_ih);
    const next = step(gates, state.map(rows) as readonly Tensor[] as State, this);
    return (isBatch ? next : next.map((x) => x.squeeze(0))) as readonly Tensor[] as State;
  }

  #refuse(name: string, tensor: Tensor, size: number): never {
    const message = `${name} has shape ${formatShape(tensor.shape)}, needs (batch, ${size})`;
    throw opError(ShapeError, this.constructor.name, `${message} or (${size},), as many in both`);
  }

  override extraRepr(): string {
    return `${this.input_size}, ${this.hidden_size}${this.bias_ih === null ? ', bias=False' : ''}`;
  }
}

/** h' = f(W x + U h). https://pytorch.org/docs/stable/generated/torch.nn.RNNCell.html */
export class RNNCell extends Cell<readonly [h: Tensor], Tensor> {
  readonly nonlinearity: 'tanh' | 'relu';

  constructor(given: RnnCellOptions) {
    const options = parseOptions('RNNCell', rnnCellOptions, given);
    super(options, 1);
    this.nonlinearity = options.nonlinearity;
  }

  override extraRepr(): string {
    const { nonlinearity } = this;
    return `${super.extraRepr()}${nonlinearity === 'tanh' ? '' : `, nonlinearity=${nonlinearity}`}`;
  }

  forward(input: Tensor, state?: Tensor | null): Tensor {
    return this.advance(rnnStep(this.nonlinearity), input, state ? [state] : undefined, 1)[0];
  }
}

/** https://pytorch.org/docs/stable/generated/torch.nn.GRUCell.html */
export class GRUCell extends Cell<readonly [h: Tensor], Tensor> {
  constructor(given: CellOptions) {
    super(parseOptions('GRUCell', cellOptions, given), 3);
  }

  forward(input: Tensor, state?: Tensor | null): Tensor {
    return this.advance(gruStep, input, state ? [state] : undefined, 1)[0];
  }
}

type LstmState = readonly [h: Tensor, c: Tensor];

/** Gives h and c. https://pytorch.org/docs/stable/generated/torch.nn.LSTMCell.html */
export class LSTMCell extends Cell<LstmState, LstmState> {
  constructor(given: CellOptions) {
    super(parseOptions('LSTMCell', cellOptions, given), 4);
  }

  forward(input: Tensor, state?: LstmState | null): LstmState {
    return this.advance(lstmStep, input, state ?? undefined, 2);
  }
}

/** Registers a class whose input size a config may leave out. */
function register<T extends { input_size: number }>(
  name: string,
  shape: z.ZodRawShape,
  create: (given: T) => RNNCell | GRUCell | LSTMCell,
): void {
  modules.register(name, {
    schema: strict({ input_size: schemas.size.optional(), ...shape }),
    create: (options: T, { input }) => {
      const found = input?.shape.at(-1);
      const input_size = inferredSize(name, 'input_size', options.input_size, found);
      return create({ ...options, input_size });
    },
  });
}

register<RnnCellOptions>('RNNCell', { ...common, nonlinearity }, (given) => new RNNCell(given));
register<CellOptions>('GRUCell', common, (given) => new GRUCell(given));
register<CellOptions>('LSTMCell', common, (given) => new LSTMCell(given));
