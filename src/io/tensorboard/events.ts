/**
 * The messages of an event file, in the protocol buffers that TensorBoard reads:
 * tensorboard/compat/proto/{event,summary,tensor}.proto. Field numbers stand here and in
 * `graph-def.ts` and `hparams.ts`, and nowhere else.
 */

import { PbfWriter } from 'pbf';

/** What one record of the file says. */
export type EventBody =
  /** Always the first record. */
  | { readonly file_version: string }
  /** A GraphDef. */
  | { readonly graph_def: Uint8Array }
  | { readonly summary: readonly SummaryValue[] }
  /** Readers drop what earlier files have of this step and of later ones. */
  | { readonly session_log: 'START' };

export interface Event {
  /** Seconds since 1970. */
  readonly wall_time: number;
  readonly step: number;
  readonly body: EventBody;
}

export type SummaryValue = { readonly tag: string; readonly metadata?: SummaryMetadata } & (
  | { readonly simple_value: number }
  | { readonly image: ImageSummary }
  | { readonly histo: Histogram }
  | { readonly strings: readonly string[] }
  /** The metadata say everything. */
  | { readonly nothing: true }
);

export interface SummaryMetadata {
  readonly plugin_name: string;
  readonly content?: Uint8Array;
}

export interface ImageSummary {
  readonly height: number;
  readonly width: number;
  /** 3: RGB, 4: RGBA. */
  readonly colorspace: 3 | 4;
  /** A PNG file. */
  readonly encoded_image_string: Uint8Array;
}

export interface Histogram {
  readonly min: number;
  readonly max: number;
  readonly num: number;
  readonly sum: number;
  readonly sum_squares: number;
  /** The upper ends of the buckets, ascending. */
  readonly bucket_limit: readonly number[];
  /** How many values each bucket has. */
  readonly bucket: readonly number[];
}

const SESSION_START = 1;
const DT_STRING = 7;

export function encodeEvent({ wall_time, step, body }: Event): Uint8Array {
  const pbf = new PbfWriter();
  pbf.writeDoubleField(1, wall_time);
  if (step !== 0) pbf.writeVarintField(2, step);
  if ('file_version' in body) pbf.writeStringField(3, body.file_version);
  else if ('graph_def' in body) pbf.writeBytesField(4, body.graph_def);
  else if ('summary' in body) pbf.writeMessage(5, writeSummary, body.summary);
  else pbf.writeMessage(7, (_, log) => log.writeVarintField(1, SESSION_START), undefined);
  return pbf.finish();
}

function writeSummary(values: readonly SummaryValue[], pbf: PbfWriter): void {
  for (const value of values) pbf.writeMessage(1, writeValue, value);
}

function writeValue(value: SummaryValue, pbf: PbfWriter): void {
  pbf.writeStringField(1, value.tag);
  if ('simple_value' in value) pbf.writeFloatField(2, value.simple_value);
  else if ('image' in value) pbf.writeMessage(4, writeImage, value.image);
  else if ('histo' in value) pbf.writeMessage(5, writeHistogram, value.histo);
  else if ('strings' in value) pbf.writeMessage(8, writeStrings, value.strings);
  if (value.metadata !== undefined) pbf.writeMessage(9, writeMetadata, value.metadata);
}

function writeImage(image: ImageSummary, pbf: PbfWriter): void {
  pbf.writeVarintField(1, image.height);
  pbf.writeVarintField(2, image.width);
  pbf.writeVarintField(3, image.colorspace);
  pbf.writeBytesField(4, image.encoded_image_string);
}

function writeHistogram(histogram: Histogram, pbf: PbfWriter): void {
  const { min, max, num, sum, sum_squares, bucket_limit, bucket } = histogram;
  for (const [i, value] of [min, max, num, sum, sum_squares].entries()) {
    pbf.writeDoubleField(i + 1, value);
  }
  pbf.writePackedDouble(6, [...bucket_limit]);
  pbf.writePackedDouble(7, [...bucket]);
}

/** A tensor of text, one-dimensional. */
function writeStrings(strings: readonly string[], pbf: PbfWriter): void {
  pbf.writeVarintField(1, DT_STRING);
  pbf.writeMessage(2, writeShape, [strings.length]);
  for (const text of strings) pbf.writeStringField(8, text);
}

/** A TensorShapeProto. */
export function writeShape(shape: readonly number[], pbf: PbfWriter): void {
  for (const size of shape) {
    pbf.writeMessage(2, (value: number, dim) => dim.writeVarintField(1, value), size);
  }
}

function writeMetadata(metadata: SummaryMetadata, pbf: PbfWriter): void {
  pbf.writeMessage(
    1,
    ({ plugin_name, content }: SummaryMetadata, data) => {
      data.writeStringField(1, plugin_name);
      if (content !== undefined) data.writeBytesField(2, content);
    },
    metadata,
  );
}
