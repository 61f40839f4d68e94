/**
 * What the compiler refuses: a wrong name, a wrong type, a missing argument. Nothing here is run;
 * `tsc -p .` fails where a line below an `@ts-expect-error` compiles.
 */

import { expect, test } from 'vitest';
import * as torchts from '../src/index.ts';
import { autograd, compile, models, nn, optim, type Tensor, tensor } from '../src/index.ts';

declare const x: Tensor;
declare const params: nn.Parameter[];
declare const layer: nn.Linear;
declare const sgd: optim.SGD;

function layers(): void {
  new nn.Linear({ in_features: 2, out_features: 3, bias: false });
  // @ts-expect-error a wrong name
  new nn.Linear({ in_features: 2, out_features: 3, bais: false });
  // @ts-expect-error a required option is missing
  new nn.Linear({ in_features: 2 });
  // @ts-expect-error a wrong type
  new nn.Linear({ in_features: '2', out_features: 3 });
  // @ts-expect-error options are no positions
  new nn.Linear(2, 3);
  new nn.Conv2d({ in_channels: 1, out_channels: 1, kernel_size: [3, 3], padding: 'same' });
  // @ts-expect-error not one of the paddings
  new nn.Conv2d({ in_channels: 1, out_channels: 1, kernel_size: 3, padding: 'full' });
  // @ts-expect-error a name of another layer
  new nn.Conv2d({ in_channels: 1, out_channels: 1, kernel_size: 3, output_padding: 1 });
  // @ts-expect-error a wrong name
  new nn.ConvTranspose1d({ in_channels: 1, out_channels: 1, kernel_size: 3, strides: 1 });
  // @ts-expect-error a wrong name
  new nn.BatchNorm2d({ num_features: 1, epsilon: 1 });
  // @ts-expect-error a wrong name
  new nn.InstanceNorm1d({ num_features: 1, epsilon: 1 });
  // @ts-expect-error a wrong name
  new nn.LayerNorm({ normalized_shape: 1, epsilon: 1 });
  // @ts-expect-error a wrong name
  new nn.GroupNorm({ num_groups: 1, num_channels: 2, epsilon: 1 });
  // @ts-expect-error a wrong name
  new nn.RMSNorm({ normalized_shape: 1, epsilon: 1 });
  // @ts-expect-error a wrong name
  new nn.Dropout({ prob: 0.5 });
  // @ts-expect-error a wrong name
  new nn.ReLU({ inplase: true });
  // @ts-expect-error a wrong name
  new nn.Softmax({ dims: 1 });
  // @ts-expect-error a wrong name
  new nn.MaxPool2d({ kernel_size: 2, stides: 2 });
  // @ts-expect-error a required option is missing
  new nn.AvgPool2d({});
  // @ts-expect-error a wrong name
  new nn.AdaptiveAvgPool2d({ output_sizes: 2 });
  // @ts-expect-error a wrong name
  new nn.MaxUnpool2d({ kernel_size: 2, pad: 1 });
  // @ts-expect-error not one of the modes
  new nn.Upsample({ size: 2, mode: 'cubic' });
  // @ts-expect-error a wrong name
  new nn.ZeroPad2d({ pad: 1 });
  // @ts-expect-error a wrong name
  new nn.Embedding({ num_embeddings: 1, embedding_dim: 2, padding: 0 });
  // @ts-expect-error not one of the modes
  new nn.EmbeddingBag({ num_embeddings: 1, embedding_dim: 2, mode: 'min' });
  // @ts-expect-error a wrong name
  new nn.LSTM({ input_size: 1, hidden_size: 2, bidirection: true });
  // @ts-expect-error a name of another layer
  new nn.GRU({ input_size: 1, hidden_size: 2, proj_size: 1 });
  // @ts-expect-error a wrong name
  new nn.RNNCell({ input_size: 1, hidden_size: 2, activation: 'relu' });
  // @ts-expect-error a wrong name
  new nn.MultiheadAttention({ embed_dim: 2, num_heads: 1, heads: 2 });
  // @ts-expect-error a wrong name
  new nn.TransformerEncoderLayer({ d_model: 2, nhead: 1, d_ff: 2 });
  // @ts-expect-error a wrong name
  new nn.Transformer({ d_model: 2, nhead: 1, layers: 2 });
  // @ts-expect-error a wrong name
  new nn.CrossEntropyLoss({ smoothing: 0.1 });
  // @ts-expect-error not one of the reductions
  new nn.MSELoss({ reduction: 'average' });
  // @ts-expect-error a wrong name
  new nn.HuberLoss({ beta: 1 });
}

function modules(): void {
  // @ts-expect-error a wrong name
  layer.loadStateDict(new Map(), { strikt: false });
  // @ts-expect-error a wrong name
  layer.namedParameters({ recurs: false });
  // @ts-expect-error a wrong name
  layer.registerBuffer('b', x, { persist: false });
  // @ts-expect-error a hook gives nothing but gradients
  layer.registerFullBackwardHook(() => 3);
  // @ts-expect-error a layer takes tensors
  layer.call([1, 2]);
  const made: nn.Linear = nn.utils.parametrizations.weightNorm(layer, { dim: 1 });
  // @ts-expect-error a wrong name
  nn.utils.parametrizations.weightNorm(made, { dims: 1 });
  // @ts-expect-error a wrong name
  nn.utils.parametrizations.spectralNorm(layer, { iterations: 1 });
  // @ts-expect-error a wrong name
  nn.utils.clipGradNorm_(params, 1, { norm: 2 });
  // @ts-expect-error a wrong name
  nn.init.kaimingNormal_(x, { fan: 'fan_in' });
}

function functions(): void {
  // @ts-expect-error a wrong name
  tensor([1], { type: 'int64' });
  // @ts-expect-error not a dtype
  tensor([1], { dtype: 'int63' });
  // @ts-expect-error a wrong name
  torchts.sum(x, { axis: 1 });
  // @ts-expect-error a wrong name, of a method
  x.sum({ axis: 1 });
  // @ts-expect-error a wrong type
  torchts.cumsum(x, '1');
  // @ts-expect-error a required argument is missing
  torchts.cumsum(x);
  // @ts-expect-error a wrong name
  nn.functional.dropout(x, { prob: 0.1 });
  // @ts-expect-error a wrong name
  nn.functional.crossEntropy(x, x, { smoothing: 0.1 });
  // @ts-expect-error not one of the modes
  nn.functional.interpolate(x, { size: 2, mode: 'cubic' });
  // @ts-expect-error a wrong name
  torchts.zeros([1], { requires_gradient: true });
  // @ts-expect-error a wrong name
  torchts.linalg.vectorNorm(x, { p: 2 });
  // @ts-expect-error a wrong name
  autograd.grad(x, x, { create_grap: true });
  // @ts-expect-error a wrong name
  autograd.gradcheck((y) => y, [x], { epsilon: 1 });
  // @ts-expect-error a wrong name
  compile((y: Tensor) => y, { stat: [] });
  // @ts-expect-error a step takes tensors
  compile((y: Tensor) => y)(3);
}

function optimizers(): void {
  new optim.SGD(params, { lr: 0.1, momentum: 0.9 });
  new optim.Adam([{ params, lr: 0.1 }, { params: x }], { betas: [0.9, 0.99] });
  // @ts-expect-error a wrong name
  new optim.SGD(params, { learning_rate: 0.1 });
  // @ts-expect-error a name of another optimizer
  new optim.SGD(params, { betas: [0.9, 0.99] });
  // @ts-expect-error a wrong name in a group
  new optim.SGD([{ params, rate: 0.1 }]);
  // @ts-expect-error one beta is missing
  new optim.AdamW(params, { betas: [0.9] });
  // @ts-expect-error a wrong name
  sgd.addParamGroup({ params, decay: 0.1 });
  // @ts-expect-error a wrong name
  new optim.lrScheduler.StepLR(sgd, { step: 3 });
  // @ts-expect-error a required option is missing
  new optim.lrScheduler.ExponentialLR(sgd, {});
  // @ts-expect-error not one of the strategies
  new optim.lrScheduler.SWALR(sgd, { swa_lr: 0.1, anneal_strategy: 'exp' });
}

function others(): void {
  // @ts-expect-error a wrong name
  models.resnet18({ classes: 10 });
  // @ts-expect-error a wrong name
  new models.GPT({ vocab_size: 1, block_size: 1, n_layers: 1 });
}

test('these are functions for the compiler', () => {
  expect([layers, modules, functions, optimizers, others].every((f) => f.length === 0)).toBe(true);
});
