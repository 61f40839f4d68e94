/** Models of torchvision in training: compiled steps, mixed precision, and from specs. */

import { describe, expect, it } from 'vitest';
import { cpuEngine } from '../../src/engine/native/cpu.ts';
import {
  autocast,
  compile,
  manualSeed,
  models,
  nn,
  noGrad,
  optim,
  type Tensor,
  tensor,
  withEngine,
} from '../../src/index.ts';
import { hashed32, initialise } from './recorded.ts';
import { SMALL } from './small-designs.ts';

const BATCH = 8;

const images = (side: number) =>
  tensor(hashed32(BATCH * 3 * side * side, 5), { shape: [BATCH, 3, side, side] });
const targets = () => tensor(BigInt64Array.from({ length: BATCH }, (_, i) => BigInt(i)));

/** The losses of steps on one batch, and what made the step be traced again. */
function train(model: nn.Module, side: number, steps: number) {
  const optimizer = new optim.AdamW(model.parameters(), { lr: 0.01 });
  const retraces: string[] = [];
  const step = compile(
    (x: Tensor, y: Tensor) => {
      optimizer.zeroGrad();
      const loss = nn.functional.crossEntropy(model.call(x), y);
      loss.backward();
      optimizer.step();
      return loss;
    },
    { state: [model, optimizer], onRetrace: (reason) => retraces.push(reason) },
  );
  const losses = Array.from({ length: steps }, () => step.sync(images(side), targets()).item());
  return { losses, retraces };
}

describe.each(Object.entries(SMALL))('a small %s', (_, { make, side }) => {
  it('learns a batch by heart in a step that is traced once', () =>
    withEngine(cpuEngine(), () => {
      manualSeed(0);
      const { losses, retraces } = train(make(), side, 60);
      expect(retraces).toEqual([]);
      const average = (part: number[]) => part.reduce((sum, x) => sum + x, 0) / part.length;
      expect(average(losses.slice(-10))).toBeLessThan(0.8 * losses[0]!);
    }));

  it('draws the same numbers in a compiled step as in an eager one', () =>
    withEngine(cpuEngine(), () => {
      const model = make();
      initialise(model);
      const x = images(side);
      const forward = compile((input: Tensor) => model.call(input), { state: [model] });
      manualSeed(7);
      const eager = [model.call(x), model.call(x)].map((y) => y.flatten().tolist());
      initialise(model);
      manualSeed(7);
      const compiled = [forward.sync(x), forward.sync(x)].map((y) => y.flatten().tolist());
      expect(compiled).toEqual(eager);
      expect(eager[0]).not.toEqual(eager[1]);
    }));

  it('gives nearly the same logits in bfloat16', () =>
    withEngine(cpuEngine(), () => {
      const model = make().eval();
      initialise(model);
      const x = images(side);
      const logits = noGrad(() => model.call(x));
      const mixed = autocast(() => noGrad(() => model.call(x)));
      const error = mixed.float().sub(logits).abs().amax().item();
      expect(error).toBeLessThan(0.03 * logits.abs().amax().item());
      expect(error).toBeGreaterThan(0);
    }));
});

/** GMACs for one image, and parameters, that torchvision's pages list. */
const LISTED = {
  convnext_tiny: [4.456, 28_589_128],
  efficientnet_b0: [0.386, 5_288_548],
  googlenet: [1.498, 6_624_904],
  mnasnet1_0: [0.314, 4_383_312],
  mobilenet_v3_large: [0.217, 5_483_032],
  regnet_y_400mf: [0.402, 4_344_144],
  shufflenet_v2_x1_0: [0.145, 2_278_604],
  swin_t: [4.491, 28_288_354],
  vit_b_16: [17.564, 86_567_656],
} as const;

describe.each(Object.entries(LISTED))('%s', (type, [operations, parameters]) => {
  it('has as many parameters and operations as torchvision says', () => {
    const options = type === 'googlenet' ? { aux_logits: false } : {};
    const { layers, outputs } = nn.describe({ type, ...options }, [1, 3, 224, 224]);
    const whole = layers.at(-1)!;
    expect(whole.parameters).toBe(parameters);
    expect(whole.flops / 2e9 / operations).toBeCloseTo(1, 2);
    expect(outputs.map(({ shape }) => shape)).toEqual([[1, 1000]]);
  });
});

describe('options', () => {
  it('are torchvision’s', () => {
    const shapes = (spec: object) =>
      new Map([...nn.build(spec).stateDict()].map(([key, { shape }]) => [key, shape.join()]));
    const small = shapes({ type: 'mobilenet_v3_small', width_mult: 0.5, reduced_tail: true });
    expect(small.get('features.12.0.weight')).toBe('144,24,1,1');
    expect(small.get('classifier.0.weight')).toBe('256,144');
    const vit = shapes({ type: 'vit_b_32', image_size: 64, representation_size: 5 });
    expect(vit.get('encoder.pos_embedding')).toBe('1,5,768');
    expect(vit.get('heads.pre_logits.weight')).toBe('5,768');
    expect(shapes({ type: 'googlenet', aux_logits: false }).has('aux1.fc1.weight')).toBe(false);
  });

  it('are those of the config in code too', () => {
    const { alexnet, densenet121, mobilenet_v2, resnet18, squeezenet1_1, vgg11, GPT } = models;
    const gpt = (given: object) => new GPT(given);
    const all = [alexnet, densenet121, mobilenet_v2, resnet18, squeezenet1_1, vgg11];
    expect(() => gpt({ nonsense: 1 })).toThrow('[GPT] unknown key "nonsense"');
    for (const make of all as ((given: object) => unknown)[]) {
      expect(() => make({ nonsense: 1 })).toThrow(/^\[\w+\] unknown key "nonsense"/);
      expect(() => make({ num_classes: 0 })).toThrow(/^\[\w+\] num_classes: /);
    }
    expect(() => alexnet({ dropout: 1.5 })).toThrow('[AlexNet] dropout: ');
  });

  it('that do not fit are refused', () => {
    const built = (spec: object) => () => nn.build(spec);
    expect(built({ type: 'vit_b_16', image_size: 100 })).toThrow(
      'image_size 100 must be a multiple of the patch size 16',
    );
    expect(built({ type: 'swin_t', dropout: 2 })).toThrow('dropout');
    expect(built({ type: 'efficientnet_b0', dropot: 0.1 })).toThrow('did you mean "dropout"');
  });

  it('transform_input takes ImageNet’s normalisation to that of Inception', () =>
    withEngine(cpuEngine(), () => {
      const nets = [true, false].map((transform_input) => {
        const model = nn.build<nn.AnyModule>({
          type: 'googlenet',
          num_classes: 3,
          transform_input,
        });
        initialise(model);
        return model.eval();
      });
      const pixels = tensor(hashed32(3 * 32 * 32, 1), { shape: [1, 3, 32, 32] });
      const channels = (values: number[]) => tensor(values).reshape([3, 1, 1]);
      const normal = pixels
        .sub(channels([0.485, 0.456, 0.406]))
        .div(channels([0.229, 0.224, 0.225]));
      const inputs = [normal, pixels.sub(0.5).div(0.5)];
      const [one, two] = nets.map((model, i) => model.call(inputs[i]) as Tensor);
      expect(one!.sub(two!).abs().amax().item()).toBeLessThan(1e-5);
    }));
});
