/** Images of files: JPEG, PNG, WebP, GIF and what else sharp reads, as bytes. */

import { readFile } from 'node:fs/promises';
import { FileError } from '../../base/errors.ts';
import { type Pixels, planar } from './pixels.ts';

export const IMAGE_EXTENSIONS = [
  '.jpg',
  '.jpeg',
  '.png',
  '.webp',
  '.gif',
  '.tif',
  '.tiff',
] as const;

/** More pixels than any photograph has, but not enough to exhaust the memory. */
const MOST_PIXELS = 200e6;

/**
 * Reads an image as 3 channels of red, green and blue, without turning it as its EXIF data ask, as
 * Pillow's `Image.open(file).convert('RGB')`; transparency is left out, of an animation the first
 * frame is taken.
 *
 * @throws FileError that names the file when it is missing, cut off or no image.
 */
export async function readImage(path: string): Promise<Pixels> {
  const bytes = await readFile(path).catch((error: Error) => error);
  if (bytes instanceof Error) throw unreadable(path, bytes);
  return decodeImage(bytes, path);
}

/** The same of an image in memory, which is called `name` where it cannot be read. */
export async function decodeImage(bytes: Uint8Array, name: string): Promise<Pixels> {
  const { default: sharp } = await import('sharp');
  try {
    const image = sharp(bytes, { limitInputPixels: MOST_PIXELS, failOn: 'truncated' });
    const { data, info } = await image
      .toColourspace('srgb')
      .removeAlpha()
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const { channels, height, width } = info;
    const pixels = planar(data, channels, { height, width });
    return channels === 1 ? repeated(pixels) : pixels;
  } catch (error) {
    throw unreadable(name, error as Error);
  }
}

function unreadable(name: string, { message }: Error): FileError {
  const reason = message.split('\n')[0]!.replace(/^Input buffer /, 'the file ');
  return new FileError(`cannot read the image ${name}: ${reason}`);
}

/** One channel as three. */
function repeated({ height, width, data }: Pixels): Pixels {
  const three = new Uint8Array(3 * data.length);
  for (const channel of [0, 1, 2]) three.set(data, channel * data.length);
  return { channels: 3, height, width, data: three };
}
