/** Whole models, exported and run by onnxruntime. */

import { describe, expect, it } from 'vitest';
import { cpuEngine } from '../../src/engine/native/cpu.ts';
import { manualSeed, models, nn, type Tensor, withEngine } from '../../src/index.ts';
import { modules } from '../../src/nn/registry.ts';
import type { ExportOptions, Field } from '../../src/onnx/index.ts';
import { decodeModel } from '../io/onnx/decode.ts';
import { initialise } from '../models/recorded.ts';
import { verify } from './runtime.ts';

/** Those that are exported in every run; all others where TORCHTS_LARGE_MODELS is set. */
const SMALL = ['mobilenet_v3_small', 'shufflenet_v2_x0_5', 'squeezenet1_1'];

const image = (side: number): Field => ({ dtype: 'float32', shape: [3, side, side] });
const words = (length: number): Field => ({ dtype: 'int64', shape: [length] });
const rows = (...shape: number[]): Field => ({ dtype: 'float32', shape });

/** Those that take larger images than others. */
const sideOf = (name: string) => (name.includes('vit') ? 224 : name === 'inception_v3' ? 96 : 64);

/** What evaluation makes nothing of: counters, and heads that only training has. */
const UNUSED = /num_batches_tracked$|^aux/i;

const zoo = modules
  .names()
  .filter((name) => modules.about(name).page?.includes('torchvision.models'));
const computed = zoo.filter(
  (name) => SMALL.includes(name) || process.env.TORCHTS_LARGE_MODELS !== undefined,
);

interface Given {
  readonly inputs: readonly Field[];
  readonly options?: ExportOptions;
}

/** What is exported, decoded. */
const check = (name: string, make: () => nn.AnyModule, given: Given) =>
  withEngine(cpuEngine(), async () => {
    manualSeed(0);
    const module = make();
    initialise(module);
    const bytes = await verify(name, { module, ...given });
    for (const parameter of module.parameters()) parameter.dispose();
    return decodeModel(bytes);
  });

describe('a model of torchvision', () => {
  it.each(computed)('%s', { timeout: 300_000 }, async (name) => {
    const make = () => nn.build({ type: name, num_classes: 10 }) as nn.Module;
    const { graph } = await check(name, make, { inputs: [image(sideOf(name))] });
    const keys = [...make().stateDict().keys()].filter((key) => !UNUSED.test(key));
    const stored = graph.initializer.map((tensor) => tensor.name);
    expect(keys.filter((key) => !stored.includes(key))).toEqual([]);
  });
});

const ops = (nodes: readonly { readonly op_type: string }[]) => nodes.map((node) => node.op_type);

describe('a small model', () => {
  it.each([
    ['lenet5', {}, [rows(1, 32, 32)]],
    ['mlp', { in_channels: 4, hidden_channels: [8, 3] }, [rows(4)]],
    ['resnet20', { num_classes: 10 }, [image(32)]],
    ['autoencoder', { in_features: 784 }, [rows(1, 28, 28)]],
    ['conv_autoencoder', { in_channels: 3 }, [image(32)]],
    ['unet', { in_channels: 3, num_classes: 2, base_channels: 4 }, [image(32)]],
    ['dcgan_generator', { ngf: 8 }, [rows(100, 1, 1)]],
    ['dcgan_discriminator', { ndf: 8 }, [image(64)]],
  ] as const)('%s', async (type, spec, inputs) => {
    await check(type, () => nn.build({ type, ...spec }) as nn.Module, { inputs });
  });
});

describe('a design of torchvision, small', () => {
  const sizes = { patch_size: 4, stochastic_depth_prob: 0.1 };
  const stages = { embed_dim: 8, depths: [2, 2], num_heads: [2, 4], window_size: 3 };
  it.each([
    [
      'ViT',
      () =>
        new models.VisionTransformer(
          { patch_size: 8, num_layers: 2, num_heads: 2, hidden_dim: 8, mlp_dim: 12 },
          { image_size: 32 },
        ),
    ],
    ['Swin', () => new models.SwinTransformer({ version: 1, ...sizes, ...stages })],
    ['Swin V2', () => new models.SwinTransformer({ version: 2, ...sizes, ...stages })],
    [
      'ConvNeXt',
      () =>
        new models.ConvNeXt({
          stages: [
            [8, 1],
            [16, 2],
          ],
          stochastic_depth_prob: 0.1,
        }),
    ],
  ] as const)('%s', async (name, make) => {
    await check(name, make, { inputs: [image(32)] });
  });
});

describe('a model of several parts', () => {
  it('stores a tied weight once', async () => {
    const sizes = { vocab_size: 8, block_size: 12, n_layer: 2, n_head: 2, n_embd: 8 };
    const make = () => nn.build({ type: 'GPT', ...sizes }) as nn.Module;
    const { graph } = await check('GPT', make, { inputs: [words(9)] });
    const names = graph.initializer.map(({ name }) => name);
    expect(names.filter((name) => /wte|lm_head/.test(name))).toEqual(['transformer.wte.weight']);
  });

  it('names the inputs and outputs of a graph', async () => {
    const linear = { in_features: 4, out_features: 3 };
    const make = () =>
      new nn.Graph({
        inputs: ['left', 'right'],
        nodes: {
          sum: { module: new nn.Add(), from: ['left', 'right'] },
          classes: { module: new nn.Linear(linear), from: 'sum' },
          box: { module: new nn.Linear(linear), from: 'sum' },
        },
        outputs: ['classes', 'box', 'sum'],
      });
    const { graph } = await check('Graph', make, { inputs: [rows(4), rows(4)] });
    expect(graph.input).toEqual([
      { name: 'left', dtype: 'float32', shape: ['batch', 4] },
      { name: 'right', dtype: 'float32', shape: ['batch', 4] },
    ]);
    expect(graph.output.map(({ name }) => name)).toEqual(['classes', 'box', 'sum']);
  });

  it('exports attention, encoders and decoders', async () => {
    const sizes = { d_model: 8, nhead: 2, dim_feedforward: 12, batch_first: true };
    const layers = { num_encoder_layers: 1, num_decoder_layers: 1 };
    const inputs = [rows(5, 8), rows(4, 8)];
    await check('Transformer', () => new nn.Transformer({ ...sizes, ...layers }), { inputs });
    const attention = { embed_dim: 8, num_heads: 2, batch_first: true };
    const three = [rows(5, 8), rows(6, 8), rows(6, 8)];
    const make = () => new nn.MultiheadAttention(attention);
    await check('MultiheadAttention', make, { inputs: three });
  });

  it('takes time before the batch with a fixed batch', async () => {
    const make = () => new nn.LSTM({ input_size: 5, hidden_size: 4, bidirectional: true });
    const { graph } = await check('LSTM by time', make, {
      inputs: [rows(3, 5)],
      options: { batch: 6 },
    });
    expect(ops(graph.node)).not.toContain('Transpose');
    expect(graph.input[0]!.shape).toEqual([6, 3, 5]);
  });

  it('gives an input or a weight as an output', async () => {
    class Both extends nn.Module<[Tensor], [Tensor, Tensor, Tensor, Tensor]> {
      readonly weight = new nn.Parameter(new nn.Linear({ in_features: 2, out_features: 3 }).weight);
      forward(x: Tensor): [Tensor, Tensor, Tensor, Tensor] {
        const twice = x.mul(2);
        return [x, this.weight, twice, twice];
      }
    }
    await check('Both', () => new Both(), { inputs: [rows(2)] });
  });
});

describe('what ONNX has one node for', () => {
  const nodesOf = async (name: string, layers: nn.Module[], input: Field, options = {}) => {
    const made = await check(name, () => new nn.Sequential(layers), { inputs: [input], options });
    return ops(made.graph.node);
  };

  it('is one node', async () => {
    const conv = new nn.Conv2d({ in_channels: 3, out_channels: 4, kernel_size: 3 });
    const layers = [conv, new nn.BatchNorm2d({ num_features: 4 }), new nn.ReLU(), new nn.Flatten()];
    const found = await nodesOf('ConvNet', layers, image(8));
    expect(found).toEqual(['Conv', 'BatchNormalization', 'Relu', 'Reshape']);
  });

  it('is a product of matrices with its bias, or of a stack of them', async () => {
    const linear = () => new nn.Linear({ in_features: 3, out_features: 4 });
    expect(await nodesOf('Gemm', [linear()], rows(3))).toEqual(['Gemm']);
    expect(await nodesOf('MatMul', [linear()], rows(2, 3))).toEqual(['Transpose', 'MatMul', 'Add']);
  });

  it('is GELU from version 20 on', async () => {
    const gelu = new nn.GELU({ approximate: 'tanh' });
    expect(await nodesOf('Gelu', [gelu], rows(3), { opset_version: 20 })).toEqual(['Gelu']);
  });
});
