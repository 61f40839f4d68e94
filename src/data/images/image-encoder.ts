/** Images of files as a data set's own images are given to a model. */

import { numel } from '../../base/shape.ts';
import type { EncodedFile, SampleEncoder } from '../dataset.ts';
import { centerCrop, grayscale } from '../transforms/preparing.ts';
import { resize } from '../transforms/resample.ts';
import {
  byteTable,
  imageField,
  preparations,
  preparedSize,
  type Transform,
} from '../transforms/transforms.ts';
import { prepareImage } from './image-dataset.ts';
import { IMAGE_EXTENSIONS, readImage } from './image-files.ts';
import type { Pixels, Size } from './pixels.ts';

/**
 * For a data set whose images have these channels and this size, if they all have one. Of the
 * pipeline what is random is left out: flips, and crops but for their size, which is taken from the
 * middle. Nothing where files cannot give the channels.
 */
export function imageEncoder(
  pipeline: readonly Transform[],
  given: { readonly channels: number; readonly size: Size | undefined },
): SampleEncoder | undefined {
  if (given.channels !== 1 && given.channels !== 3) return undefined;
  const prepared = preparedSize(pipeline, given);
  const { shape } = imageField(pipeline, prepared);
  const [channels, height, width] = shape as [number, number, number];
  const steps = preparations(pipeline);
  const table = byteTable(pipeline, channels);
  // Images of any size will do where the steps make them equal.
  const anySize = steps.reduce<Size | undefined>((size, step) => step.size(size), undefined);
  const wanted = anySize === undefined ? given.size : undefined;
  const encode = async (path: string): Promise<EncodedFile> => {
    const read = await readImage(path);
    const image = given.channels === 1 ? grayscale(read, 1) : read;
    const fits = wanted === undefined || isOf(image, wanted);
    const sized = fits ? image : resize(image, wanted, 'bilinear');
    const result = centerCrop(prepareImage(sized, steps), { height, width });
    return {
      length: 1,
      inputs: looked(result, table),
      note: fits ? undefined : `images of other sizes are resized to ${sizeText(wanted)}`,
    };
  };
  return { kind: 'image', extensions: IMAGE_EXTENSIONS, encode };
}

const isOf = (image: Size, { height, width }: Size) =>
  image.height === height && image.width === width;

const sizeText = ({ height, width }: Size) => `${height} x ${width}`;

/** (channels, height, width) of what `table` (channels, 256) has for the bytes. */
function looked({ channels, height, width, data }: Pixels, table: Float32Array): Float32Array {
  const values = new Float32Array(numel([channels, height, width]));
  const area = height * width;
  for (let i = 0; i < values.length; i++) {
    values[i] = table[256 * Math.floor(i / area) + data[i]!]!;
  }
  return values;
}
