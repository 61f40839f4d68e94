/** Recurrent layers over whole sequences: RNN, GRU and LSTM. */

import { z } from 'zod';
import { parseOptions, strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { lstm } from '../ops/recurrent.ts';
import { gruStep, lstmStep, rnnStep, type Step, scan } from '../ops/recurrent-steps.ts';
import { Recurrent, type Run } from './recurrent-layer.ts';
import { inferredSize, modules, schemas } from './registry.ts';

const common = {
  hidden_size: schemas.size,
  num_layers: schemas.size.default(1),
  bias: z.boolean().default(true),
  batch_first: z.boolean().default(false),
  /** Between layers. */
  dropout: schemas.probability.default(0),
  bidirectional: z.boolean().default(false),
};
const rnnOptions = { ...common, nonlinearity: z.enum(['tanh', 'relu']).default('tanh') };
const lstmOptions = { ...common, proj_size: z.int().min(0).default(0) };
/** In a config it may be left out where the input is known. */
const inferable = { input_size: schemas.size.optional() };
const given = { input_size: schemas.size };

const schema = {
  GRU: strict({ ...given, ...common }),
  LSTM: strict({ ...given, ...lstmOptions }),
  RNN: strict({ ...given, ...rnnOptions }),
};

export type GruOptions = z.input<typeof schema.GRU>;
export type RecurrentOptions = z.input<typeof schema.LSTM>;
export type RnnOptions = z.input<typeof schema.RNN>;

/** A layer whose state is h alone. */
abstract class PlainRecurrent extends Recurrent<readonly [h: Tensor], Tensor> {
  protected abstract step(): Step<readonly [h: Tensor]>;

  protected run({ gates, cell, state, ...options }: Run<readonly [h: Tensor]>) {
    return scan(this.step(), gates, state, cell, options);
  }

  protected pack([h]: readonly [h: Tensor]): Tensor {
    return h;
  }

  protected unpack(h: Tensor): readonly [h: Tensor] {
    return [h];
  }
}

/**
 * The plain recurrent network (Elman 1990): h' = f(W x + U h), f tanh or relu. Gives the output of
 * every step and the last h. https://pytorch.org/docs/stable/generated/torch.nn.RNN.html
 */
export class RNN extends PlainRecurrent {
  readonly nonlinearity: 'tanh' | 'relu';

  constructor(given: RnnOptions) {
    const options = parseOptions('RNN', schema.RNN, given);
    super(options, { gates: 1, states: 1, own_bias: true });
    this.nonlinearity = options.nonlinearity;
  }

  protected step(): Step<readonly [h: Tensor]> {
    return rnnStep(this.nonlinearity);
  }
}

/**
 * Gated recurrent units (Cho et al. 2014). Gives the output of every step and the last h.
 * https://pytorch.org/docs/stable/generated/torch.nn.GRU.html
 */
export class GRU extends PlainRecurrent {
  constructor(given: GruOptions) {
    super(parseOptions('GRU', schema.GRU, given), { gates: 3, states: 1, own_bias: true });
  }

  protected step(): Step<readonly [h: Tensor]> {
    return gruStep;
  }
}

type LstmState = readonly [h: Tensor, c: Tensor];

/**
 * Long short-term memory (Hochreiter & Schmidhuber 1997). Gives the output of every step and the
 * last state, [output, [h, c]]; a Sequential passes the output on. Without projection each
 * direction of a layer is one fused op.
 * https://pytorch.org/docs/stable/generated/torch.nn.LSTM.html
 */
export class LSTM extends Recurrent<LstmState> {
  constructor(given: RecurrentOptions) {
    super(parseOptions('LSTM', schema.LSTM, given), { gates: 4, states: 2, own_bias: false });
  }

  protected run({ gates, cell, state, ...options }: Run<LstmState>): [Tensor, LstmState] {
    const { weight_hh, weight_hr } = cell;
    if (weight_hr === undefined) return lstm(gates, weight_hh, state, options);
    return scan(lstmStep, gates, state, { weight_hh, weight_hr }, options);
  }

  protected pack(state: LstmState): LstmState {
    return state;
  }

  protected unpack(state: LstmState): LstmState {
    return state;
  }
}

/** Registers a class whose input size a config may leave out. */
function register<T extends { input_size: number }>(
  name: string,
  shape: z.ZodRawShape,
  create: (given: T) => RNN | GRU | LSTM,
): void {
  modules.register(name, {
    schema: strict({ ...inferable, ...shape }),
    create: (options: T, { input }) => {
      const found = input?.shape.at(-1);
      const input_size = inferredSize(name, 'input_size', options.input_size, found);
      return create({ ...options, input_size });
    },
  });
}

register<RnnOptions>('RNN', rnnOptions, (options) => new RNN(options));
register<GruOptions>('GRU', common, (options) => new GRU(options));
register<RecurrentOptions>('LSTM', lstmOptions, (options) => new LSTM(options));
