/**
 * TFRecord framing, which makes a file of records that can be read while it grows: the length
 * (8 bytes, little-endian), its checksum, the data, their checksum. Source:
 * https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
 */

import crc32c from 'crc-32/crc32c.js';

const HEADER = 12;
const FOOTER = 4;

/** One record, ready to be appended to a file. */
export function frameRecord(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER + data.length + FOOTER);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedChecksum(bytes.subarray(0, 8)), true);
  bytes.set(data, HEADER);
  view.setUint32(HEADER + data.length, maskedChecksum(data), true);
  return bytes;
}

/** Rotated and shifted, so that the checksum of data that hold checksums stays a good one. */
function maskedChecksum(data: Uint8Array): number {
  const crc = crc32c.buf(data) >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
