/** What is written is read back the same. That runtimes agree is tested in test/onnx. */

import { describe, expect, it } from 'vitest';
import { DTYPES, hostArray, toHostArray } from '../../../src/base/dtype.ts';
import { encodeModel } from '../../../src/io/onnx/encode.ts';
import type { OnnxModel, OnnxTensor } from '../../../src/io/onnx/model.ts';
import { decodeModel } from './decode.ts';

const MODEL: OnnxModel = {
  ir_version: 8,
  producer_name: 'torchts',
  producer_version: '1.2.3',
  opset_version: 18,
  metadata_props: { classes: '["cat","dog"]', mean: '0.5' },
  graph: {
    name: 'Net',
    node: [
      {
        name: '/Conv',
        op_type: 'Conv',
        input: ['x', '', 'w'],
        output: ['y'],
        attribute: {
          group: 1,
          axis: -2,
          pads: [0, 1, -1],
          auto_pad: 'NOTSET',
          epsilon: { float: 1 },
        },
      },
    ],
    initializer: [],
    input: [{ name: 'x', dtype: 'float32', shape: ['batch', 3] }],
    output: [{ name: 'y', dtype: 'int64', shape: [] }],
  },
};

const withTensors = (initializer: readonly OnnxTensor[]): OnnxModel => ({
  ...MODEL,
  graph: { ...MODEL.graph, initializer },
});

describe('encodeModel', () => {
  it('writes a model', () => {
    const { graph, ...model } = decodeModel(encodeModel(MODEL));
    const { graph: _, ...expected } = MODEL;
    expect(model).toEqual(expected);
    expect(graph.input).toEqual(MODEL.graph.input);
    expect(graph.output).toEqual(MODEL.graph.output);
    const [node] = graph.node;
    expect(node).toMatchObject({ name: '/Conv', op_type: 'Conv', input: ['x', '', 'w'] });
    const attributes = node!.attribute.map(({ name, ...value }) => [name, value] as const);
    const none = { ints: [] };
    // The numbers of AttributeProto.AttributeType.
    expect(Object.fromEntries(attributes)).toEqual({
      group: { ...none, type: 2, i: 1 },
      axis: { ...none, type: 2, i: -2 },
      pads: { ...none, type: 7, ints: [0, 1, -1] },
      auto_pad: { ...none, type: 3, s: 'NOTSET' },
      epsilon: { ...none, type: 1, f: 1 },
    });
  });

  it.each(DTYPES)('writes %s', (dtype) => {
    const data = toHostArray(dtype, [0, 1, 1, 0, 1, 1]);
    const tensor = { name: 'w', dtype, shape: [2, 3], data };
    const [found] = decodeModel(encodeModel(withTensors([tensor]))).graph.initializer;
    expect(found).toMatchObject({ name: 'w', dtype, dims: [2, 3] });
    const width = found!.raw_data.length / 6;
    const words: Record<string, number> = { bfloat16: 0x3f80, float16: 0x3c00 };
    const one = words[dtype];
    const last = found!.raw_data.slice(5 * width);
    if (one === undefined) {
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      expect(found!.raw_data).toEqual(bytes);
    } else {
      expect([...last]).toEqual([one & 0xff, one >> 8]);
    }
  });

  it('refuses more than a protobuf message can hold', () => {
    // One array under eight names: the file would hold it eight times.
    const data = hostArray('uint8', 2 ** 28);
    const tensors = Array.from({ length: 8 }, (_, i) => ({
      ...{ name: `w${i}`, dtype: 'uint8' as const, shape: [data.length], data },
    }));
    expect(() => encodeModel(withTensors(tensors))).toThrow(
      '[onnx] the model takes 2.1 GB; an ONNX file holds less than 2 GiB',
    );
  });
});
