/**
 * Exported models, run by onnxruntime (compiled to WebAssembly) beside torchts. Where TORCHTS_ONNX
 * names a folder, what is run is also left there, for check.py.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ort from 'onnxruntime-web/wasm';
import { expect } from 'vitest';
import { type DType, type HostArray, toHostArray } from '../../src/base/dtype.ts';
import { numel } from '../../src/base/shape.ts';
import { nn, noGrad, type Tensor, tensor } from '../../src/index.ts';
import { type ExportOptions, exportOnnx, type Field } from '../../src/onnx/index.ts';
import { hashed } from '../models/hashed.ts';

ort.env.wasm.numThreads = 1;
ort.env.logLevel = 'error';

/** Not those of the traces. */
const BATCHES = [1, 4];

/** Largest whole number that inputs of whole numbers hold, unless a case says otherwise. */
const WORDS = 7;

/** Larger models take more than WebAssembly's memory. */
const MOST_BYTES = 2 ** 28;

export interface Case {
  readonly module: nn.AnyModule;
  readonly inputs: readonly Field[];
  readonly options?: ExportOptions;
}

interface Sample {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: HostArray;
}

function sample({ dtype, shape }: Field, batch: number, seed: number): Sample {
  const whole = [batch, ...shape];
  const values = [...hashed(numel(whole), seed)];
  const isWhole = dtype === 'int64' || dtype === 'int32';
  const scaled = isWhole ? values.map((x) => Math.floor(((x + 1) / 2) * WORDS)) : values;
  return { dtype, shape: whole, data: toHostArray(dtype, scaled) };
}

/** Exports, and compares the outputs for other batch sizes than those that were traced. */
export async function verify(name: string, { module, inputs, options }: Case): Promise<Uint8Array> {
  const bytes = await exportOnnx(module, inputs, options);
  const fixed = options?.batch;
  const runs = (typeof fixed === 'number' ? [fixed] : BATCHES).map((batch, run) => {
    const given = inputs.map((field, i) => sample(field, batch, 100 * run + i));
    const outputs = noGrad(() => {
      module.eval();
      const tensors = given.map(({ data, dtype, shape }) => tensor(data, { dtype, shape }));
      return nn.tensorOutputs(module.call(...tensors)).map(held);
    });
    return { given, outputs };
  });
  leave(name, bytes, runs);
  if (bytes.length > MOST_BYTES) {
    expect(process.env.TORCHTS_ONNX, 'a large model is left to check.py').toBeDefined();
    return bytes;
  }
  const session = await ort.InferenceSession.create(bytes);
  for (const { given, outputs } of runs) {
    const feeds = Object.fromEntries(
      session.inputNames.map((input, i) => [input, fed(given[i]!)] as const),
    );
    const results = await session.run(feeds);
    expect(session.outputNames).toHaveLength(outputs.length);
    for (const [i, output] of session.outputNames.entries()) {
      expect(results[output]!.dims).toEqual(outputs[i]!.shape);
      expect(distance(results[output]!.data as never, outputs[i]!.data), output).toBeLessThan(1e-4);
    }
  }
  await session.release();
  return bytes;
}

const held = (x: Tensor): Sample => ({ dtype: x.dtype, shape: x.shape, data: x.dataSync() });

function fed({ dtype, shape, data }: Sample): ort.Tensor {
  return new ort.Tensor(dtype as 'float32', data as Float32Array, shape);
}

/** Below it there is nothing to compare with. */
const SMALLEST = 1e-20;

/** The largest difference, relative to the largest number. */
function distance(found: ArrayLike<number | bigint>, expected: HostArray): number {
  let [most, size] = [0, SMALLEST];
  for (const [i, wanted] of expected.entries()) {
    const [a, b] = [Number(found[i]), Number(wanted)];
    if (!Object.is(a, b)) most = Math.max(most, Math.abs(a - b));
    if (Number.isFinite(b)) size = Math.max(size, Math.abs(b));
    if (Number.isNaN(most)) return Number.POSITIVE_INFINITY;
  }
  return most / size;
}

interface Run {
  readonly given: readonly Sample[];
  readonly outputs: readonly Sample[];
}

function leave(name: string, bytes: Uint8Array, runs: readonly Run[]): void {
  const folder = process.env.TORCHTS_ONNX;
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  const file = name.replaceAll(/\W+/g, '_');
  writeFileSync(join(folder, `${file}.onnx`), bytes);
  const described = ({ dtype, shape, data }: Sample) => ({
    ...{ dtype, shape },
    data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'),
  });
  const plain = runs.map(({ given, outputs }) => ({
    inputs: given.map(described),
    outputs: outputs.map(described),
  }));
  writeFileSync(join(folder, `${file}.json`), JSON.stringify(plain));
}
