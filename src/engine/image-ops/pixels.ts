/** Images as bytes. */

export interface Size {
  readonly height: number;
  readonly width: number;
}

export interface ImageShape extends Size {
  readonly channels: number;
}

export interface Pixels extends ImageShape {
  /** (channels, height, width), row-major. */
  readonly data: Uint8Array;
}
