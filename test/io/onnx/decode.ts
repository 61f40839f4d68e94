/** Reads an ONNX file back, with the decoder of the library that wrote it. */

import { PbfReader } from 'pbf';
import type { DType } from '../../../src/base/dtype.ts';
import { DATA_TYPES } from '../../../src/io/onnx/model.ts';

export interface DecodedAttribute {
  name: string;
  type: number;
  f?: number;
  i?: number;
  s?: string;
  ints: number[];
}

export interface DecodedNode {
  name: string;
  op_type: string;
  input: string[];
  output: string[];
  attribute: DecodedAttribute[];
}

export interface DecodedTensor {
  name: string;
  dtype: DType;
  dims: number[];
  raw_data: Uint8Array;
}

export interface DecodedValue {
  name: string;
  dtype: DType;
  shape: (number | string)[];
}

export interface DecodedModel {
  ir_version: number;
  producer_name: string;
  producer_version: string;
  opset_version: number;
  metadata_props: Record<string, string>;
  graph: {
    name: string;
    node: DecodedNode[];
    initializer: DecodedTensor[];
    input: DecodedValue[];
    output: DecodedValue[];
  };
}

/** The message that `read` fills, field by field; a field that it does not take is a fault. */
function message<T>(pbf: PbfReader, start: T, read: (tag: number, into: T) => boolean): T {
  return pbf.readMessage((tag, into) => {
    if (!read(tag, into)) throw new Error(`field ${tag} is not expected here`);
  }, start);
}

/** Each field's reader by its number. */
function fields<T>(pbf: PbfReader, start: T, readers: Record<number, (into: T) => unknown>): T {
  return message(pbf, start, (tag, into) => {
    readers[tag]?.(into);
    return tag in readers;
  });
}

const dtypeOf = (type: number) =>
  (Object.keys(DATA_TYPES) as DType[]).find((dtype) => DATA_TYPES[dtype] === type)!;

export function decodeModel(bytes: Uint8Array): DecodedModel {
  const pbf = new PbfReader(bytes);
  const model = { metadata_props: {} } as DecodedModel;
  const readers: Record<number, () => unknown> = {
    1: () => (model.ir_version = pbf.readVarint()),
    2: () => (model.producer_name = pbf.readString()),
    3: () => (model.producer_version = pbf.readString()),
    7: () => (model.graph = readGraph(pbf)),
    8: () => fields(pbf, {}, { 2: () => (model.opset_version = pbf.readVarint()) }),
    14: () => {
      const entry = fields(
        pbf,
        { key: '', value: '' },
        {
          1: (into) => (into.key = pbf.readString()),
          2: (into) => (into.value = pbf.readString()),
        },
      );
      model.metadata_props[entry.key] = entry.value;
    },
  };
  pbf.readFields((tag) => {
    if (!(tag in readers)) throw new Error(`field ${tag} is not expected in a model`);
    readers[tag]!();
  }, model);
  return model;
}

function readGraph(pbf: PbfReader): DecodedModel['graph'] {
  const start = { name: '', node: [], initializer: [], input: [], output: [] };
  return fields<DecodedModel['graph']>(pbf, start, {
    1: ({ node }) => node.push(readNode(pbf)),
    2: (graph) => (graph.name = pbf.readString()),
    5: ({ initializer }) => initializer.push(readTensor(pbf)),
    11: ({ input }) => input.push(readValue(pbf)),
    12: ({ output }) => output.push(readValue(pbf)),
  });
}

function readNode(pbf: PbfReader): DecodedNode {
  const start: DecodedNode = { name: '', op_type: '', input: [], output: [], attribute: [] };
  return fields(pbf, start, {
    1: ({ input }) => input.push(pbf.readString()),
    2: ({ output }) => output.push(pbf.readString()),
    3: (node) => (node.name = pbf.readString()),
    4: (node) => (node.op_type = pbf.readString()),
    5: ({ attribute }) => attribute.push(readAttribute(pbf)),
  });
}

function readAttribute(pbf: PbfReader): DecodedAttribute {
  const text = () => new TextDecoder().decode(pbf.readBytes());
  const start: DecodedAttribute = { name: '', type: 0, ints: [] };
  return fields(pbf, start, {
    1: (into) => (into.name = pbf.readString()),
    2: (into) => (into.f = pbf.readFloat()),
    3: (into) => (into.i = pbf.readVarint(true)),
    4: (into) => (into.s = text()),
    8: ({ ints }) => ints.push(pbf.readVarint(true)),
    20: (into) => (into.type = pbf.readVarint()),
  });
}

function readTensor(pbf: PbfReader): DecodedTensor {
  const start: DecodedTensor = {
    ...{ name: '', dtype: 'float32', dims: [], raw_data: new Uint8Array() },
  };
  return fields(pbf, start, {
    1: ({ dims }) => dims.push(pbf.readVarint()),
    2: (into) => (into.dtype = dtypeOf(pbf.readVarint())),
    8: (into) => (into.name = pbf.readString()),
    9: (into) => (into.raw_data = pbf.readBytes()),
  });
}

function readValue(pbf: PbfReader): DecodedValue {
  const value: DecodedValue = { name: '', dtype: 'float32', shape: [] };
  const dimension = () =>
    fields(
      pbf,
      {},
      {
        1: () => value.shape.push(pbf.readVarint()),
        2: () => value.shape.push(pbf.readString()),
      },
    );
  const tensorType = () =>
    fields(
      pbf,
      {},
      {
        1: () => (value.dtype = dtypeOf(pbf.readVarint())),
        2: () => fields(pbf, {}, { 1: dimension }),
      },
    );
  return fields(pbf, value, {
    1: () => (value.name = pbf.readString()),
    2: () => fields(pbf, {}, { 1: tensorType }),
  });
}
