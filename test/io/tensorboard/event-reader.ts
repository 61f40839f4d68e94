/**
 * Reads event files by the format's own documents: nothing here is shared with the writer, so a
 * wrong field number or checksum in one of them shows.
 */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PbfReader } from 'pbf';

export interface ReadValue {
  tag: string;
  simple_value?: number;
  image?: { height: number; width: number; colorspace: number; png: Buffer };
  histo?: {
    min: number;
    max: number;
    num: number;
    sum: number;
    sum_squares: number;
    bucket_limit: number[];
    bucket: number[];
  };
  text?: string[];
  plugin?: string;
  content?: Uint8Array;
}

export interface ReadEvent {
  wall_time: number;
  step: number;
  file_version?: string;
  graph_def?: Uint8Array;
  values: ReadValue[];
  session_status?: number;
}

/** The events of all files of a folder, in the order in which TensorBoard reads them. */
export async function readFolder(folder: string): Promise<ReadEvent[]> {
  const names = (await readdir(folder)).filter((name) => name.includes('tfevents')).sort();
  const files = await Promise.all(names.map((name) => readFile(join(folder, name))));
  return files.flatMap((bytes) => readEvents(bytes));
}

/** Throws at the first record with a wrong checksum; a last record that is cut off is left out. */
export function readEvents(bytes: Buffer): ReadEvent[] {
  const events: ReadEvent[] = [];
  for (let at = 0; at + 12 <= bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    checkCrc(bytes.subarray(at, at + 8), bytes.readUInt32LE(at + 8));
    const data = bytes.subarray(at + 12, at + 12 + length);
    at += 12 + length + 4;
    if (at > bytes.length) break;
    checkCrc(data, bytes.readUInt32LE(at - 4));
    events.push(parseEvent(data));
  }
  return events;
}

/** What TensorBoard shows: START drops what came before of its step and of later ones. */
export function scalarsOf(events: readonly ReadEvent[]): Record<string, [number, number][]> {
  const series: Record<string, [number, number][]> = {};
  for (const { step, values, session_status } of events) {
    if (session_status === 1) {
      for (const [tag, points] of Object.entries(series)) {
        series[tag] = points.filter(([at]) => at < step);
      }
    }
    for (const { tag, simple_value } of values) {
      if (simple_value === undefined) continue;
      series[tag] = [...(series[tag] ?? []), [step, simple_value]];
    }
  }
  return series;
}

function checkCrc(data: Uint8Array, masked: number): void {
  const rotated = (masked - 0xa282ead8) >>> 0;
  const crc = ((rotated >>> 17) | (rotated << 15)) >>> 0;
  if (crc !== crc32c(data)) throw new Error('a record has a wrong checksum');
}

/** RFC 3720, appendix B.4, bit by bit. */
export function crc32c(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

function parseEvent(data: Uint8Array): ReadEvent {
  const event: ReadEvent = { wall_time: 0, step: 0, values: [] };
  fields(new PbfReader(data), (field, pbf) => {
    if (field === 1) event.wall_time = pbf.readDouble();
    if (field === 2) event.step = pbf.readVarint();
    if (field === 3) event.file_version = pbf.readString();
    if (field === 4) event.graph_def = pbf.readBytes();
    if (field === 5) message(pbf, (_, summary) => event.values.push(parseValue(summary)));
    if (field === 7) {
      message(pbf, (at, log) => {
        if (at === 1) event.session_status = log.readVarint();
      });
    }
  });
  return event;
}

function parseValue(pbf: PbfReader): ReadValue {
  const value: ReadValue = { tag: '' };
  message(pbf, (field, at) => {
    if (field === 1) value.tag = at.readString();
    if (field === 2) value.simple_value = at.readFloat();
    if (field === 4) value.image = parseImage(at);
    if (field === 5) value.histo = parseHistogram(at);
    if (field === 8) value.text = parseStrings(at);
    if (field === 9) {
      message(at, (inner, metadata) => {
        if (inner !== 1) return;
        message(metadata, (key, plugin) => {
          if (key === 1) value.plugin = plugin.readString();
          if (key === 2) value.content = plugin.readBytes();
        });
      });
    }
  });
  return value;
}

function parseImage(pbf: PbfReader): NonNullable<ReadValue['image']> {
  const image = { height: 0, width: 0, colorspace: 0, png: Buffer.alloc(0) };
  message(pbf, (field, at) => {
    if (field === 1) image.height = at.readVarint();
    if (field === 2) image.width = at.readVarint();
    if (field === 3) image.colorspace = at.readVarint();
    if (field === 4) image.png = Buffer.from(at.readBytes());
  });
  return image;
}

function parseHistogram(pbf: PbfReader): NonNullable<ReadValue['histo']> {
  const numbers: number[] = [];
  const lists: number[][] = [];
  message(pbf, (field, at) => {
    if (field <= 5) numbers[field - 1] = at.readDouble();
    else lists[field - 6] = at.readPackedDouble();
  });
  const [min, max, num, sum, sum_squares] = numbers as [number, number, number, number, number];
  return { min, max, num, sum, sum_squares, bucket_limit: lists[0]!, bucket: lists[1]! };
}

function parseStrings(pbf: PbfReader): string[] {
  const text: string[] = [];
  message(pbf, (field, at) => {
    if (field === 1 && at.readVarint() !== 7) throw new Error('text is DT_STRING, 7');
    if (field === 8) text.push(at.readString());
  });
  return text;
}

type Visit = (field: number, pbf: PbfReader) => void;

/** The fields of the message that a field holds. */
export function message(pbf: PbfReader, visit: Visit): void {
  pbf.readMessage((field, _, at) => visit(field, at), undefined);
}

export function fields(pbf: PbfReader, visit: Visit): void {
  pbf.readFields((field, _, at) => visit(field, at), undefined);
}
