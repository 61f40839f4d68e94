/** An ONNX model as the bytes of its file: protobuf messages, written field by field. */

import { PbfWriter } from 'pbf';
import { FileError } from '../../base/errors.ts';
import { tensorBytes } from '../host-tensor.ts';
import {
  DATA_TYPES,
  type OnnxAttribute,
  type OnnxDim,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValueInfo,
} from './model.ts';

/** Protobuf counts the bytes of a message in 31 bits. */
const MOST_BYTES = 2 ** 31 - 1;

/** Numbers of the fields that hold other messages or bytes. */
const GRAPH = 7;
const INITIALIZER = 5;
const RAW_DATA = 9;

/** AttributeProto.AttributeType. */
const ATTRIBUTE_TYPES = { FLOAT: 1, INT: 2, STRING: 3, INTS: 7 } as const;

/**
 * A ModelProto, whole in one file.
 * @throws FileError for a model of 2 GiB or more, which a protobuf message cannot hold.
 */
export function encodeModel(model: OnnxModel): Uint8Array<ArrayBuffer> {
  const graph = graphParts(model.graph);
  const parts = [encoded(writeHead, model), ...delimited(GRAPH, graph)];
  const size = sizeOf(parts);
  if (size > MOST_BYTES) {
    const gigabytes = (size / 1e9).toFixed(1);
    throw new FileError(
      `[onnx] the model takes ${gigabytes} GB; an ONNX file holds less than 2 GiB`,
    );
  }
  const file = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  return file;
}

// The weights are most of the file. They are put in place once, between what is written by pbf.

type Parts = readonly Uint8Array[];

const sizeOf = (parts: Parts) => parts.reduce((size, part) => size + part.length, 0);

function encoded<T>(write: (value: T, pbf: PbfWriter) => void, value: T): Uint8Array {
  const pbf = new PbfWriter();
  write(value, pbf);
  return pbf.finish();
}

/** The field `tag` of wire type 2, whose contents are `parts`. */
function delimited(tag: number, parts: Parts): Parts {
  const head = encoded((size: number, pbf) => {
    pbf.writeTag(tag, 2);
    pbf.writeVarint(size);
  }, sizeOf(parts));
  return [head, ...parts];
}

function graphParts(graph: OnnxGraph): Parts {
  const tensors = graph.initializer.flatMap((tensor) =>
    delimited(INITIALIZER, tensorParts(tensor)),
  );
  return [encoded(writeGraph, graph), ...tensors];
}

function tensorParts(tensor: OnnxTensor): Parts {
  return [encoded(writeTensor, tensor), ...delimited(RAW_DATA, [tensorBytes(tensor)])];
}

function writeHead(model: OnnxModel, pbf: PbfWriter): void {
  pbf.writeVarintField(1, model.ir_version);
  pbf.writeStringField(2, model.producer_name);
  pbf.writeStringField(3, model.producer_version);
  pbf.writeMessage(8, writeOpset, model.opset_version);
  for (const entry of Object.entries(model.metadata_props)) pbf.writeMessage(14, writeEntry, entry);
}

/** Of ONNX's own operators, whose domain is the empty one. */
function writeOpset(version: number, pbf: PbfWriter): void {
  pbf.writeVarintField(2, version);
}

function writeEntry([key, value]: readonly [string, string], pbf: PbfWriter): void {
  pbf.writeStringField(1, key);
  pbf.writeStringField(2, value);
}

function writeGraph({ name, node, input, output }: OnnxGraph, pbf: PbfWriter): void {
  for (const item of node) pbf.writeMessage(1, writeNode, item);
  pbf.writeStringField(2, name);
  for (const value of input) pbf.writeMessage(11, writeValueInfo, value);
  for (const value of output) pbf.writeMessage(12, writeValueInfo, value);
}

function writeNode({ name, op_type, input, output, attribute }: OnnxNode, pbf: PbfWriter): void {
  for (const value of input) pbf.writeStringField(1, value);
  for (const value of output) pbf.writeStringField(2, value);
  pbf.writeStringField(3, name);
  pbf.writeStringField(4, op_type);
  for (const entry of Object.entries(attribute)) pbf.writeMessage(5, writeAttribute, entry);
}

function writeAttribute([name, value]: readonly [string, OnnxAttribute], pbf: PbfWriter): void {
  pbf.writeStringField(1, name);
  pbf.writeVarintField(20, ATTRIBUTE_TYPES[writeAttributeValue(value, pbf)]);
}

function writeAttributeValue(value: OnnxAttribute, pbf: PbfWriter): keyof typeof ATTRIBUTE_TYPES {
  if (typeof value === 'number') {
    pbf.writeVarintField(3, value);
    return 'INT';
  }
  if (typeof value === 'string') {
    pbf.writeBytesField(4, new TextEncoder().encode(value));
    return 'STRING';
  }
  if ('float' in value) {
    pbf.writeFloatField(2, value.float);
    return 'FLOAT';
  }
  for (const item of value) pbf.writeVarintField(8, item);
  return 'INTS';
}

function writeTensor({ name, dtype, shape }: OnnxTensor, pbf: PbfWriter): void {
  for (const size of shape) pbf.writeVarintField(1, size);
  pbf.writeVarintField(2, DATA_TYPES[dtype]);
  pbf.writeStringField(8, name);
}

function writeValueInfo({ name, dtype, shape }: OnnxValueInfo, pbf: PbfWriter): void {
  pbf.writeStringField(1, name);
  pbf.writeMessage(
    2,
    (_, type) => type.writeMessage(1, writeTensorType, { dtype, shape }),
    undefined,
  );
}

function writeTensorType({ dtype, shape }: Omit<OnnxValueInfo, 'name'>, pbf: PbfWriter): void {
  pbf.writeVarintField(1, DATA_TYPES[dtype]);
  pbf.writeMessage(2, writeShape, shape);
}

function writeShape(shape: readonly OnnxDim[], pbf: PbfWriter): void {
  for (const size of shape) pbf.writeMessage(1, writeDim, size);
}

function writeDim(size: OnnxDim, pbf: PbfWriter): void {
  if (typeof size === 'number') pbf.writeVarintField(1, size);
  else pbf.writeStringField(2, size);
}
