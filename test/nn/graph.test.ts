import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { checkModel } from '../../src/config/model-check.ts';
import { autocast, manualSeed, nn, randn, type Tensor, tensor } from '../../src/index.ts';
import { buildTask } from '../../src/train/task/task.ts';

const CONV = { in_channels: 4, out_channels: 4, kernel_size: 3, padding: 1 };

/** relu(conv2(relu(conv1(x))) + x), by hand. */
class Block extends nn.Module {
  conv1 = new nn.Conv2d(CONV);
  conv2 = new nn.Conv2d(CONV);
  forward(x: Tensor): Tensor {
    return this.conv2.call(this.conv1.call(x).relu()).add(x).relu();
  }
}

const BLOCK = {
  type: 'Graph',
  inputs: ['x'],
  nodes: {
    conv1: { type: 'Conv2d', out_channels: 4, kernel_size: 3, padding: 1 },
    relu1: 'ReLU',
    conv2: { type: 'Conv2d', out_channels: 4, kernel_size: 3, padding: 1 },
    sum: { type: 'Add', from: ['conv2', 'x'] },
    relu2: 'ReLU',
  },
  outputs: 'relu2',
};

function pair(): { block: Block; graph: nn.Graph } {
  manualSeed(1);
  const block = new Block();
  const graph = nn.build<nn.Graph>(BLOCK, { input: randn([2, 4, 5, 5]) });
  graph.loadStateDict(block.stateDict());
  return { block, graph };
}

describe('Graph', () => {
  it('is the module that its parts make by hand: keys, values, gradients', () => {
    const { block, graph } = pair();
    expect([...graph.stateDict().keys()]).toEqual([...block.stateDict().keys()]);
    const input = randn([2, 4, 5, 5]);
    const [byHand, byGraph] = [block, graph].map((module) => {
      const x = input.detach().requires_grad_();
      const output = (module as nn.Module).call(x);
      output.square().sum().backward();
      return [output, x.grad!, ...module.parameters().map((parameter) => parameter.grad!)];
    });
    expect(byGraph!.map((value) => value.tolist())).toEqual(byHand!.map((value) => value.tolist()));
  });

  it('computes the same in bfloat16', () => {
    const { block, graph } = pair();
    const input = randn([2, 4, 5, 5]);
    const [byHand, byGraph] = [block, graph].map((module) =>
      autocast(() => (module as nn.Module).call(input)),
    );
    expect(byGraph!.tolist()).toEqual(byHand!.tolist());
    expect(byGraph!.tolist()).not.toEqual((graph.call(input) as Tensor).tolist());
  });

  it('takes several inputs and gives several outputs, in code', () => {
    const graph = new nn.Graph({
      inputs: ['a', 'b'],
      nodes: {
        product: { module: new nn.MatMul(), from: ['a', 'b'] },
        twice: { module: new nn.Cat({ dim: 0 }), from: ['product', 'product'] },
        less: { module: new nn.Sub(), from: ['product', 'a'] },
        gated: { module: new nn.Mul(), from: ['less', 'b', 'b'] },
      },
      outputs: ['twice', 'gated'],
    });
    const [a, b] = [
      tensor([
        [1, 2],
        [3, 4],
      ]),
      tensor([
        [2, 0],
        [0, 1],
      ]),
    ];
    const [twice, gated] = graph.call(a, b) as [Tensor, Tensor];
    expect(twice.tolist()).toEqual([
      [2, 2],
      [6, 4],
      [2, 2],
      [6, 4],
    ]);
    expect(gated.tolist()).toEqual([
      [4, 0],
      [0, 0],
    ]);
    expect(() => graph.call(a)).toThrow('[Graph] takes 2 (a, b) inputs, got 1');
  });

  it('takes the first output of a node with several', () => {
    const graph = nn.build<nn.Graph>(
      { type: 'Graph', nodes: { rnn: { type: 'LSTM', hidden_size: 3 }, out: 'ReLU' } },
      { input: randn([4, 2, 5]) },
    );
    expect((graph.call(randn([4, 2, 5])) as Tensor).shape).toEqual([4, 2, 3]);
  });

  it('stands in a Sequential and holds graphs, with keys of their names', () => {
    const model = nn.build(
      { type: 'Sequential', layers: [{ ...BLOCK, name: 'stage' }, 'Flatten'] },
      { input: randn([2, 4, 5, 5]) },
    );
    expect([...model.stateDict().keys()][0]).toBe('stage.conv1.weight');
    const nested = nn.build<nn.Graph>(
      { type: 'Graph', nodes: { one: BLOCK, two: { ...BLOCK, from: 'one' } } },
      { input: randn([2, 4, 5, 5]) },
    );
    expect([...nested.stateDict().keys()].at(-1)).toBe('two.conv2.bias');
  });

  it('names the node that does not fit, also where nobody observes', () => {
    const spec = {
      ...BLOCK,
      nodes: { ...BLOCK.nodes, relu1: { type: 'MaxPool2d', kernel_size: 2 } },
    };
    const build = () => nn.build(spec, { input: randn([2, 4, 5, 5]) });
    expect(build).toThrow(expect.objectContaining({ path: ['nodes', 'sum'] }));
  });

  it('lets a node be replaced, and no other be added', () => {
    const { graph } = pair();
    graph.addModule('relu1', new nn.Identity());
    expect(graph.getSubmodule('relu1')).toBeInstanceOf(nn.Identity);
    expect(() => graph.addModule('relu3', new nn.ReLU())).toThrow('did you mean "relu');
  });

  it('is printed with what each node takes', () => {
    expect(String(pair().graph)).toContain('conv2, x -> sum');
  });

  it.each([
    [
      'an unknown name',
      { nodes: { a: { module: new nn.ReLU(), from: 'imput' } } },
      /nodes\.a\.from: there is no node or input "imput"; did you mean "input"\?/,
    ],
    ['no node at all', { nodes: {} }, /"input" is not used/],
    [
      'a name used twice',
      { inputs: ['a'], nodes: { a: new nn.ReLU() } },
      /nodes\.a: there is an input "a" already/,
    ],
  ])('refuses %s', (_, options, message) => {
    expect(() => new nn.Graph(options)).toThrow(message);
  });
});

describe('joining modules', () => {
  it('need two inputs', () => {
    expect(() => new nn.Add().call(tensor([1]))).toThrow('[Add] joins two inputs or more, got 1');
    const three = [tensor([1]), tensor([1]), tensor([1])] as unknown as [Tensor, Tensor];
    expect(() => new nn.Sub().call(...three)).toThrow('[Sub] takes two inputs, got 3');
  });
});

describe('describe', () => {
  it('counts the operations of a node alone', () => {
    const { layers } = nn.describe(BLOCK, [2, 4, 5, 5]);
    const flops = Object.fromEntries(layers.map((layer) => [layer.path.at(-1) ?? '', layer.flops]));
    expect(flops.sum).toBeLessThan(flops.conv2! / 10);
    expect(flops['']).toBeGreaterThanOrEqual(flops.conv1! + flops.conv2!);
    expect(layers.map(({ path }) => path.at(-1))).toEqual([...Object.keys(BLOCK.nodes), undefined]);
  });
});

const CONFIG = `\
data:
  train: { type: FakeData, size: 8, image_size: [3, 8, 8], num_classes: 4 }
  batch_size: 4
model:
  type: Graph
  inputs: [image]
  nodes:
    conv: { type: Conv2d, out_channels: 4, kernel_size: 3, padding: 1 }
    relu: ReLU
    sum: { type: Add, from: [conv, relu] }
    flat: Flatten
    head: { type: Linear, out_features: 4 }
    aux_flat: { type: Flatten, from: conv }
    aux: { type: Linear, out_features: 4 }
  outputs: [head, aux]
loss: { type: MultiOutputLoss, losses: [CrossEntropyLoss, CrossEntropyLoss], weights: [1, 0.3] }
optimizer: { type: SGD, lr: 0.1 }
trainer: { epochs: 1 }
`;

describe('in a config', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'torchts-graph-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function load(text = CONFIG, overrides: string[] = []) {
    writeFileSync(join(folder, 'graph.yaml'), text);
    return loadConfig(join(folder, 'graph.yaml'), { overrides });
  }

  /** The line at fault, its path and the message; of the first fault. */
  function fault(change: [string, string][]): string {
    const text = change.reduce((all, [from, to]) => all.replace(from, to), CONFIG);
    if (text === CONFIG) throw new Error('nothing was changed');
    try {
      buildTask(load(text));
    } catch (error) {
      return (error as Error).message.replaceAll(`${folder}/graph.yaml:`, '').split('\n')[0]!;
    }
    throw new Error('expected a fault');
  }

  it('has the outputs that it names, and loads again from its resolved text', () => {
    const loaded = load();
    const { outputs, model } = checkModel(loaded);
    expect(outputs.map(({ shape }) => shape)).toEqual([
      [4, 4],
      [4, 4],
    ]);
    expect([...model.stateDict().keys()]).toEqual([
      ...['conv.weight', 'conv.bias', 'head.weight', 'head.bias', 'aux.weight', 'aux.bias'],
    ]);
    expect(load(loaded.text).config).toEqual(loaded.config);
  });

  it('sums the losses of its outputs by their weights', () => {
    const { model, loss } = buildTask(load());
    const x = randn([4, 3, 8, 8]);
    const y = tensor([0, 1, 2, 3], { dtype: 'int64' });
    const outputs = model.call(x) as unknown as Tensor[];
    const [main, aux] = outputs.map((output) => nn.functional.crossEntropy(output, y).item());
    const value = nn.lossOfOutput(loss, outputs as [Tensor, Tensor], y).item();
    expect(value).toBeCloseTo(main! + 0.3 * aux!, 5);
  });

  it.each<[string, [string, string][], string]>([
    [
      'a name that nobody has',
      [['[conv, relu]', '[conv, rlu]']],
      '10:36 model.nodes.sum.from[1]: there is no node or input "rlu"; did you mean "relu"?',
    ],
    [
      'a node below',
      [['[conv, relu]', '[conv, aux]']],
      '10:36 model.nodes.sum.from[1]: "aux" is written below; a node takes inputs and nodes that are written above it',
    ],
    [
      'itself',
      [['from: conv', 'from: aux_flat']],
      '13:38 model.nodes.aux_flat.from: "aux_flat" cannot take its own output',
    ],
    [
      'an output that is not there',
      [['[head, aux]', '[head, auks]']],
      '15:19 model.outputs[1]: there is no node or input "auks"; did you mean "aux"?',
    ],
    [
      'an output twice',
      [['[head, aux]', '[head, head]']],
      '15:19 model.outputs[1]: "head" is an output already',
    ],
    [
      'a node without use',
      [
        ['[head, aux]', '[head]'],
        [
          'losses: [CrossEntropyLoss, CrossEntropyLoss], weights: [1, 0.3]',
          'losses: [CrossEntropyLoss]',
        ],
      ],
      '14:10 model.nodes.aux: is not used: no "from" and no "outputs" names it',
    ],
    [
      'an input without use',
      [['[image]', '[image, depth]']],
      '6:19 model.inputs[1]: "depth" is not used: no "from" and no "outputs" names it',
    ],
    [
      'an input too many',
      [
        ['[image]', '[image, depth]'],
        ['from: conv', 'from: depth'],
      ],
      '6:11 model.inputs: the graph gets 1 of its 2 inputs',
    ],
    [
      "a node of an input's name",
      [
        ['relu: ReLU', 'image: ReLU'],
        ['[conv, relu]', '[conv, image]'],
      ],
      '9:12 model.nodes.image: there is an input "image" already',
    ],
    [
      'a name beside the key',
      [['type: Add', 'type: Add, name: plus']],
      '10:29 model.nodes.sum.name: a node of a Graph has its key as name',
    ],
    [
      'shapes that do not fit',
      [['relu: ReLU', 'relu: { type: MaxPool2d, kernel_size: 3 }']],
      '10:10 model.nodes.sum: [add] ',
    ],
    [
      'an input that a node ignores',
      [['flat: Flatten', 'flat: { type: Flatten, from: [sum, conv] }']],
      '11:34 model.nodes.flat.from: Flatten makes nothing of its input conv; join it with Add, Mul or Cat',
    ],
    [
      'too few losses',
      [
        [
          'losses: [CrossEntropyLoss, CrossEntropyLoss], weights: [1, 0.3]',
          'losses: [CrossEntropyLoss]',
        ],
      ],
      '16:7 loss: [MultiOutputLoss] needs a loss for each output of the model, has 1 for 2',
    ],
    [
      'too few weights',
      [['weights: [1, 0.3]', 'weights: [1]']],
      '16:87 loss.weights: needs one for each loss, has 1 for 2',
    ],
    [
      'losses of two kinds',
      [['CrossEntropyLoss]', '{ type: CrossEntropyLoss, reduction: sum }]']],
      '16:59 loss.losses[1]: sums, but the first loss does not, or the reverse',
    ],
  ])('points at %s', (_, change, message) => {
    expect(fault(change).slice(0, message.length)).toBe(message);
  });

  it('is the only place for from', () => {
    const layers =
      'model={type: Sequential, layers: [Flatten, {type: Linear, out_features: 4, from: x}]}';
    expect(() => checkModel(load(CONFIG, [layers]))).toThrow(
      'model.layers[1].from: only a node of a Graph says what it takes',
    );
  });
});
