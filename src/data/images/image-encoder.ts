/** Images of files as a data set's own images are given to a model. */

import type { Spec } from '../../base/registry.ts';
import { numel } from '../../base/shape.ts';
import { engine } from '../../core/device.ts';
import type { EncodedFile, SampleEncoder } from '../dataset.ts';
import { byteTable, givenAfter, imageField, prepareImage } from '../transforms/pipeline.ts';
import { centerCropOp, resizeOp } from '../transforms/preparing.ts';
import type { Given, Transform } from '../transforms/transforms.ts';
import { IMAGE_EXTENSIONS, readImage } from './image-files.ts';
import type { Pixels, Size } from './pixels.ts';

/**
 * For a data set whose images have these channels and this size, if they all have one. Of the
 * pipeline what is random is left out: flips, and crops but for their size, which is taken from the
 * middle. Nothing where files cannot give the channels.
 */
export function imageEncoder(
  pipeline: readonly Transform[],
  given: Given,
): SampleEncoder | undefined {
  if (given.channels !== 1 && given.channels !== 3) return undefined;
  const { shape } = imageField(pipeline, given);
  const [channels, height, width] = shape as [number, number, number];
  const steps = pipeline.filter((step) => step.takes === 'image').filter((step) => !step.random);
  const table = byteTable(pipeline, channels);
  // Images of any size will do where the steps make them equal.
  const anySize = givenAfter(steps, { channels: given.channels, size: undefined }).size;
  const wanted = anySize === undefined ? given.size : undefined;
  const encode = async (path: string): Promise<EncodedFile> => {
    const read = await readImage(path);
    const applyOps = engine().applyOps.bind(engine());
    const image = given.channels === 1 ? applyOps(read, [GRAY]) : read;
    const fits = wanted === undefined || isOf(image, wanted);
    const sized = fits ? image : applyOps(image, [resizeOp(image, wanted, 'bilinear')]);
    const prepared = prepareImage(sized, steps);
    const result = applyOps(prepared, [centerCropOp(prepared, { height, width })]);
    return {
      length: 1,
      inputs: looked(result, table),
      note: fits ? undefined : `images of other sizes are resized to ${sizeText(wanted)}`,
    };
  };
  const fitted = givenAfter(steps, { channels: given.channels, size: wanted ?? given.size }).size;
  const isCropped = fitted?.height !== height || fitted.width !== width;
  const transforms = [
    ...(wanted === undefined ? [] : [toSize('Resize', wanted)]),
    ...specsOf(steps),
    ...(isCropped ? [toSize('CenterCrop', { height, width })] : []),
    ...specsOf(pipeline.filter(({ takes }) => takes === 'bytes' || takes === 'floats')),
  ];
  return { kind: 'image', extensions: IMAGE_EXTENSIONS, preparation: { transforms }, encode };
}

const toSize = (type: string, { height, width }: Size): Spec => ({ type, size: [height, width] });

const specsOf = (steps: readonly Transform[]) => steps.flatMap(({ spec }) => spec ?? []);

const GRAY = { kind: 'grayscale', channels: 1, as: 'PIL' } as const;

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
