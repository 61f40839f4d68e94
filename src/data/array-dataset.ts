/** Arrays in files: NumPy's .npy and .npz, and MNIST's idx. */

import { z } from 'zod';
import { type HostArray, isFloating } from '../base/dtype.ts';
import { ConfigError, FileError, nearestName } from '../base/errors.ts';
import { formatShape, numel } from '../base/shape.ts';
import type { HostTensor } from '../io/host-tensor.ts';
import { readIdx } from '../io/idx.ts';
import { readNpy, readNpz } from '../io/npy.ts';
import { type DatasetSource, datasets } from './dataset.ts';
import { imageArguments, pixelSource } from './images/image-set.ts';
import { planar } from './images/pixels.ts';
import { limitedPlaces } from './loading/split.ts';
import { resolveRoot } from './paths.ts';
import { TensorDataset } from './tensor-dataset.ts';

const name = z.string().min(1);

const schema = z.strictObject({
  path: name
    .optional()
    .describe('A file .npz, in which input and target name arrays; without it they name files.'),
  input: name.describe('What the model takes: an array of the .npz, or a file .npy or idx.'),
  target: name.describe('What the loss compares with, in the same way.'),
  classes: z
    .array(name)
    .min(1)
    .optional()
    .describe('The names of the classes. Default: their numbers.'),
  channels: z
    .enum(['first', 'last'])
    .default('last')
    .describe('Which dimension of images (length, height, width, channels) holds the channels.'),
  ...imageArguments,
});

type Options = z.output<typeof schema>;

/**
 * Row `i` of both arrays is sample `i`. Bytes of (length, height, width) or (length, height, width,
 * channels) are images, with transforms as other images have. Everything else goes to the model as
 * it is: floats and bytes as float32, other integers, such as tokens, as int64. A target of
 * integers, one a sample, is a class; others are float32.
 */
datasets.register('ArrayDataset', {
  summary: "Arrays in files: NumPy's .npy and .npz, or idx, as images, numbers or tokens.",
  schema,
  create: (options: Options): DatasetSource => {
    const [input, target] = readArrays(options);
    const length = input.shape[0] ?? 0;
    if (length === 0) throw new ConfigError('[ArrayDataset] input holds no samples');
    if (target.shape[0] !== length) {
      throw new ConfigError(
        `[ArrayDataset] input is ${formatShape(input.shape)} and target ` +
          `${formatShape(target.shape)}: they hold different numbers of samples`,
      );
    }
    const isImages = input.dtype === 'uint8' && [3, 4].includes(input.shape.length);
    return isImages ? imagesOf(input, target, options) : rowsOf(input, target, options);
  },
});

function readArrays({ path, input, target }: Options): [HostTensor, HostTensor] {
  if (path === undefined) return [readFile(input), readFile(target)];
  const file = resolveRoot(path);
  const arrays = readNpz(file);
  const read = (key: string, wanted: string) => {
    const array = arrays.get(wanted);
    if (array !== undefined) return array();
    const nearest = nearestName(wanted, arrays.keys());
    const known =
      nearest === undefined ? `it has ${[...arrays.keys()]}` : `did you mean ${nearest}?`;
    throw new ConfigError(`[ArrayDataset] ${key}: ${file} has no array "${wanted}"; ${known}`);
  };
  return [read('input', input), read('target', target)];
}

function readFile(path: string): HostTensor {
  const file = resolveRoot(path);
  return file.endsWith('.npy') ? readNpy(file) : readIdx(file);
}

function imagesOf(input: HostTensor, target: HostTensor, options: Options): DatasetSource {
  const { labels, classes } = labelsOf(target, options);
  const [, ...sizes] = input.shape;
  const [height, width, channels] = (
    sizes.length === 2
      ? [...sizes, 1]
      : options.channels === 'last'
        ? sizes
        : [sizes[1], sizes[2], sizes[0]]
  ) as [number, number, number];
  const given = input.data as Uint8Array;
  const isPlanar = channels === 1 || options.channels === 'first';
  const images = isPlanar ? given : planes(given, channels, { height, width });
  const read = async () => ({ images, labels });
  return pixelSource({ classes, channels, height, width, read }, options);
}

function planes(images: Uint8Array, channels: number, size: { height: number; width: number }) {
  const area = channels * size.height * size.width;
  const result = new Uint8Array(images.length);
  for (let at = 0; at < images.length; at += area) {
    result.set(planar(images.subarray(at, at + area), channels, size).data, at);
  }
  return result;
}

function rowsOf(input: HostTensor, target: HostTensor, options: Options): DatasetSource {
  // ToTensor stands there by default; it makes bytes into floats.
  if (options.transforms.some(({ type }) => type !== 'ToTensor')) {
    throw new ConfigError(
      `[ArrayDataset] transforms are for images of bytes, but input is ${input.dtype} ` +
        formatShape(input.shape),
    );
  }
  const isClass = !isFloating(target.dtype) && numel(target.shape) === target.shape[0];
  const { labels, classes } = isClass
    ? labelsOf(target, options)
    : { labels: new Int32Array(target.shape[0]!), classes: [] };
  const isTokens = ['int32', 'int64'].includes(input.dtype);
  const dtype = isTokens ? ('int64' as const) : ('float32' as const);
  const description = {
    input: { dtype, shape: input.shape.slice(1) },
    target: isClass
      ? ({ dtype: 'int64', shape: [] } as const)
      : ({
          dtype: 'float32',
          shape: target.shape.length > 1 ? target.shape.slice(1) : [1],
        } as const),
    classes,
  };
  const rows = {
    inputs: isTokens ? BigInt64Array.from(input.data, BigInt) : floats(input.data),
    targets: isClass ? BigInt64Array.from(labels, BigInt) : floats(target.data),
  };
  const places = limitedPlaces(labels, isClass ? options : { limit: options.limit });
  const all = new TensorDataset(labels.length, description, rows);
  return { ...description, load: async () => all.take(places) };
}

function floats(data: HostArray): Float32Array {
  return data instanceof Float32Array ? data : Float32Array.from(data, Number);
}

function labelsOf({ shape, dtype, data }: HostTensor, { classes }: Options) {
  if (isFloating(dtype) || numel(shape) !== shape[0]) {
    throw new ConfigError(
      `[ArrayDataset] target is ${dtype} ${formatShape(shape)}; images need one class each, ` +
        'an integer',
    );
  }
  const labels = Int32Array.from(data, Number);
  const highest = labels.reduce((a, b) => Math.max(a, b), 0);
  const count = classes?.length ?? Math.min(highest, MOST_CLASSES) + 1;
  const wrong = data.findIndex((label: number | bigint) => !(label >= 0 && label < count));
  if (wrong >= 0) {
    throw new FileError(
      `[ArrayDataset] target ${wrong} is ${data[wrong]}, which is none of ${count} classes`,
    );
  }
  return { labels, classes: classes ?? Array.from({ length: count }, (_, i) => String(i)) };
}

/** More are no classes but something else that was taken for them. */
const MOST_CLASSES = 2 ** 20;
