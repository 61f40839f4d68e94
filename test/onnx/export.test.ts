/** What an export takes, what it leaves alone, and what it refuses. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cpuEngine } from '../../src/engine/native/cpu.ts';
import { linalg, nn, onnx, rand, type Tensor, tensor, withEngine, zeros } from '../../src/index.ts';
import { exportOnnx, type Field } from '../../src/onnx/index.ts';
import { decodeModel } from '../io/onnx/decode.ts';
import { verify } from './runtime.ts';

const FOUR: Field = { dtype: 'float32', shape: [4] };
const linear = () => new nn.Linear({ in_features: 4, out_features: 3 });

class Of extends nn.Module {
  constructor(readonly compute: (input: Tensor) => Tensor) {
    super();
  }

  forward(input: Tensor): Tensor {
    return this.compute(input);
  }
}

const within = (module: nn.Module) => new nn.Sequential([linear(), module]);
const made = async (module: nn.AnyModule, options = {}) =>
  decodeModel(await exportOnnx(module, FOUR, options));

describe('the file', () => {
  it('holds what was asked for', async () => {
    const model = await made(linear(), {
      opset_version: 21,
      input_names: ['x'],
      output_names: ['logits'],
      classes: ['cat', 'dog', 'cow'],
      metadata: { mean: '[0.5]' },
    });
    expect(model).toMatchObject({ ir_version: 10, opset_version: 21, producer_name: 'torchts' });
    expect(model.metadata_props).toEqual({ classes: '["cat","dog","cow"]', mean: '[0.5]' });
    expect(model.graph.input).toEqual([{ name: 'x', dtype: 'float32', shape: ['batch', 4] }]);
    expect(model.graph.output).toEqual([{ name: 'logits', dtype: 'float32', shape: ['batch', 3] }]);
  });

  it('is the same for the same weights', async () => {
    const module = within(new nn.BatchNorm1d({ num_features: 3 }));
    expect(await exportOnnx(module, FOUR)).toEqual(await exportOnnx(module, FOUR));
  });

  it('has the size of the batch where that is given', async () => {
    const { graph } = await made(within(new nn.Unflatten({ dim: 1, unflattened_size: [3, 1] })), {
      batch: 8,
    });
    expect(graph.output[0]!.shape).toEqual([8, 3, 1]);
  });

  it('is written by onnx.export, from example inputs', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'onnx-'));
    try {
      const path = join(folder, 'model.onnx');
      const module = linear();
      await onnx.export(module, zeros([2, 4]), path, { output_names: ['y'] });
      const expected = await exportOnnx(module, FOUR, { output_names: ['y'] });
      expect(new Uint8Array(readFileSync(path))).toEqual(expected);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('stores what only depends on the weights where ONNX cannot compute it', () =>
    withEngine(cpuEngine(), async () => {
      const weight = new nn.Parameter(rand([4, 4]).add(1));
      class Factor extends nn.Module {
        readonly weight = weight;
        forward(x: Tensor): Tensor {
          return x.matmul(linalg.qr(this.weight)[1]);
        }
      }
      await verify('Factor', { module: new Factor(), inputs: [FOUR] });
    }));
});

describe('the module', () => {
  it('stays as it was, part by part', async () => {
    const module = within(new nn.BatchNorm1d({ num_features: 3 })).train();
    const [first, second] = module.children();
    first!.eval();
    await exportOnnx(module, FOUR);
    expect([module.training, first!.training, second!.training]).toEqual([true, false, true]);
  });
});

describe('refused', () => {
  const fails = async (module: nn.AnyModule, message: string | RegExp, options = {}) =>
    await expect(exportOnnx(module, FOUR, options)).rejects.toThrow(message);

  it('is an op without a translation, by its name and the path of the module', async () => {
    const module = within(new Of((x) => x.lgamma()));
    await fails(module, '[onnx] lgamma cannot be exported: ONNX has no operator for it (at 1)');
    await fails(within(new Of((x) => x.add(rand([3])))), /philox cannot be exported/);
    await fails(within(new Of((x) => x.add(rand(x.shape)))), /philox cannot be exported: random/);
  });

  it('is a graph that is another one for another batch', async () => {
    const message = /\[onnx\] other operations are computed for another batch size; .*fixed batch/;
    const branching = new Of((x) => (x.shape[0]! > 2 ? x.mul(2) : x.exp()));
    await fails(within(branching), message);
    await fails(new Of((x) => (x.shape[0]! > 2 ? x.mul(2).exp() : x.exp())), message);
    const square = new Of((x) => zeros([x.shape[0]! ** 2]));
    await fails(square, '[onnx] what is computed depends on the batch size');
    await expect(exportOnnx(within(branching), FOUR, { batch: 2 })).resolves.toBeDefined();
  });

  it('is a tensor of values that follow from the batch', async () => {
    const message = '[onnx] a tensor of given values is another one for another batch size';
    await fails(new Of((x) => x.add(tensor([x.shape[0]!]))), message);
    await fails(new Of((x) => tensor(new Float32Array(x.shape[0]!))), message);
    await expect(
      exportOnnx(new Of((x) => x.add(tensor([1, 2, 3, 4]))), FOUR),
    ).resolves.toBeDefined();
  });

  it('is an input that does not fit, by the error of the module', async () => {
    const field: Field = { dtype: 'float32', shape: [5] };
    await expect(exportOnnx(linear(), field)).rejects.toThrow(/\[linear\] input \(2, 5\)/);
  });

  it.each([
    [{ opset_version: 17 }, '[onnx] opset_version must be 18 to 22, got 17'],
    [{ batch: 0 }, '[onnx] batch must be a positive integer or "dynamic", got 0'],
    [{ input_names: ['a', 'b'] }, '[onnx] the model has 1 inputs, but input_names has 2'],
    [{ output_names: [''] }, '[onnx] output_names must differ and not be empty'],
    [{ output_names: ['input'] }, '[onnx] "input" is the name of an input and of an output'],
  ])('is %j', (options, message) => fails(linear(), message, options));

  it.each([
    [zeros([]), '[onnx] args have no batch: a tensor of no dimensions'],
    [[1] as never, '[onnx] args must be tensors'],
  ])('are arguments that are no batches', async (args, message) => {
    await expect(onnx.export(linear(), args, 'never.onnx')).rejects.toThrow(message);
  });

  it('is a module that gives no tensor', async () => {
    class Nothing extends nn.Module<[Tensor], []> {
      forward(): [] {
        return [];
      }
    }
    await fails(new Nothing(), '[onnx] the model gives no tensor');
  });

  it('is a value that is read while the model is traced', async () => {
    await fails(new Of((x) => x.mul(x.sum().item())), /\[item\] a value was read while/);
  });
});
