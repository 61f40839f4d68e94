/** One direction of an LSTM layer, step by step. */

import type { Shape } from '../../base/shape.ts';
import type { LstmAttrs } from '../kernels.ts';
import { arity, check, checkFloating, checkShape, type KernelCall, type Run } from './kernel.ts';

export function lstmForward(call: KernelCall<'lstm_fwd'>): Run {
  arity(call, 4, 5);
  checkFloating(call);
  const gates = call.inputs[0]!.shape;
  const sequence = sequenceOf(gates, call.attrs);
  const { values, weight, state } = shapesOf(gates, sequence);
  checkAll('input', call.inputs, [gates, weight, state, state]);
  checkAll('output', call.outputs, [values, state, state, gates, values]);
  return (inputs, outputs) => {
    const [gx, w, h0, c0] = inputs as Four;
    const [y, hn, cn, activated, cells] = outputs as [...Four, Float64Array];
    hn.set(h0);
    cn.set(c0);
    for (const step of order(sequence)) {
      forwardStep(sequence, step, { gx, w, h: hn, c: cn, gates: activated });
      for (const [b, row] of rowsAt(sequence, step).entries()) {
        y.set(hn.subarray(b * sequence.units, (b + 1) * sequence.units), row * sequence.units);
        cells.set(cn.subarray(b * sequence.units, (b + 1) * sequence.units), row * sequence.units);
      }
    }
  };
}

export function lstmBackward(call: KernelCall<'lstm_bwd'>): Run {
  arity(call, 9, 4);
  checkFloating(call);
  const gates = call.inputs[7]!.shape;
  const sequence = sequenceOf(gates, call.attrs);
  const { values, weight, state } = shapesOf(gates, sequence);
  const known = [weight, state, state, values, gates, values];
  checkAll('input', call.inputs, [values, state, state, ...known]);
  checkAll('output', call.outputs, [gates, weight, state, state]);
  return (inputs, outputs) => {
    const [gy, ghn, gcn, w, h0, c0, y, activated, cells] = inputs;
    const [ggx, gw, gh, gc] = outputs as Four;
    gh.set(ghn!);
    gc.set(gcn!);
    const steps = order(sequence);
    for (const [i, step] of [...steps.entries()].reverse()) {
      const before = i === 0 ? undefined : rowsAt(sequence, steps[i - 1]!);
      for (const [b, row] of rowsAt(sequence, step).entries()) {
        const from = before === undefined ? b : before[b]!;
        backwardRow(sequence.units, {
          row,
          w: w!,
          gates: activated!,
          cell: cells!,
          gy: gy!,
          h: [before === undefined ? h0! : y!, from],
          c: [before === undefined ? c0! : cells!, from],
          gh: gh.subarray(b * sequence.units, (b + 1) * sequence.units),
          gc: gc.subarray(b * sequence.units, (b + 1) * sequence.units),
          ggx,
          gw,
        });
      }
    }
  };
}

type Four = [Float64Array, Float64Array, Float64Array, Float64Array];

interface Sequence {
  readonly steps: number;
  readonly batch: number;
  readonly units: number;
  readonly attrs: LstmAttrs;
}

function sequenceOf(gates: Shape, attrs: LstmAttrs): Sequence {
  check(gates.length === 3, 'the gates must have three dimensions');
  const [steps, batch] = attrs.batch_first ? [gates[1]!, gates[0]!] : [gates[0]!, gates[1]!];
  check(gates[2]! % 4 === 0, 'the gates must be four times the units');
  return { steps, batch, units: gates[2]! / 4, attrs };
}

function shapesOf(gates: Shape, { batch, units }: Sequence) {
  return {
    values: [gates[0]!, gates[1]!, units],
    weight: [4 * units, units],
    state: [batch, units],
  };
}

function checkAll(what: string, given: readonly { shape: Shape }[], expected: readonly Shape[]) {
  for (const [i, { shape }] of given.entries()) checkShape(`${what} ${i}`, shape, expected[i]!);
}

function order({ steps, attrs }: Sequence): number[] {
  const ascending = Array.from({ length: steps }, (_, step) => step);
  return attrs.reverse ? ascending.reverse() : ascending;
}

/** The rows, one a sequence, in which a step's values lie. */
function rowsAt({ steps, batch, attrs }: Sequence, step: number): number[] {
  return Array.from({ length: batch }, (_, b) =>
    attrs.batch_first ? b * steps + step : step * batch + b,
  );
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Replaces h and c by the next step's and writes the gates. */
function forwardStep(
  sequence: Sequence,
  step: number,
  at: { gx: Float64Array; w: Float64Array; h: Float64Array; c: Float64Array; gates: Float64Array },
): void {
  const { units } = sequence;
  for (const [b, row] of rowsAt(sequence, step).entries()) {
    const h = at.h.slice(b * units, (b + 1) * units);
    for (let j = 0; j < units; j++) {
      const [i, f, g, o] = [0, 1, 2, 3].map((gate) => {
        const unit = gate * units + j;
        const recurrent = h.reduce((sum, value, k) => sum + value * at.w[unit * units + k]!, 0);
        const total = at.gx[row * 4 * units + unit]! + recurrent;
        return gate === 2 ? Math.tanh(total) : sigmoid(total);
      }) as [number, number, number, number];
      for (const [gate, value] of [i, f, g, o].entries()) {
        at.gates[(row * 4 + gate) * units + j] = value;
      }
      const cell = f * at.c[b * units + j]! + i * g;
      at.c[b * units + j] = cell;
      at.h[b * units + j] = o * Math.tanh(cell);
    }
  }
}

interface BackwardRow {
  readonly row: number;
  readonly w: Float64Array;
  readonly gates: Float64Array;
  readonly cell: Float64Array;
  readonly gy: Float64Array;
  /** The states before this step: an array and the row in it. */
  readonly h: readonly [Float64Array, number];
  readonly c: readonly [Float64Array, number];
  /** Gradients of this sequence's h and c after the step; become those before it. */
  readonly gh: Float64Array;
  readonly gc: Float64Array;
  readonly ggx: Float64Array;
  readonly gw: Float64Array;
}

/** One step of one sequence backwards; adds to `gw`. */
function backwardRow(units: number, at: BackwardRow): void {
  const first = at.row * 4 * units;
  for (let j = 0; j < units; j++) {
    const [i, f, g, o] = [0, 1, 2, 3].map((gate) => at.gates[first + gate * units + j]!) as [
      number,
      number,
      number,
      number,
    ];
    const squashed = Math.tanh(at.cell[at.row * units + j]!);
    const gh = at.gh[j]! + at.gy[at.row * units + j]!;
    const gc = at.gc[j]! + gh * o * (1 - squashed ** 2);
    const before = at.c[0][at.c[1] * units + j]!;
    const sums = [gc * g * i * (1 - i), gc * before * f * (1 - f), gc * i * (1 - g ** 2)];
    sums.push(gh * squashed * o * (1 - o));
    for (const [gate, value] of sums.entries()) at.ggx[first + gate * units + j] = value;
    at.gc[j] = gc * f;
  }
  at.gh.fill(0);
  for (let unit = 0; unit < 4 * units; unit++) {
    const value = at.ggx[first + unit]!;
    for (let k = 0; k < units; k++) {
      at.gh[k] = at.gh[k]! + value * at.w[unit * units + k]!;
      const place = unit * units + k;
      at.gw[place] = at.gw[place]! + value * at.h[0][at.h[1] * units + k]!;
    }
  }
}
