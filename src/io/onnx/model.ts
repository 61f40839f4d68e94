/**
 * ONNX's messages as plain values, with the names of its protobuf schema.
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */

import type { DType } from '../../base/dtype.ts';
import type { HostTensor } from '../host-tensor.ts';

/** A size that is known, or the name of one that is given when the model runs. */
export type OnnxDim = number | string;

export interface OnnxValueInfo {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly OnnxDim[];
}

export interface OnnxTensor extends HostTensor {
  readonly name: string;
}

/** Whole numbers are INT and INTS: a float is written as `{ float }`, so that 1.0 stays one. */
export type OnnxAttribute = number | readonly number[] | string | { readonly float: number };

export interface OnnxNode {
  readonly name: string;
  readonly op_type: string;
  /** '' where an optional input is left out. */
  readonly input: readonly string[];
  /** '' where an optional output is not wanted. */
  readonly output: readonly string[];
  readonly attribute: Readonly<Record<string, OnnxAttribute>>;
}

export interface OnnxGraph {
  readonly name: string;
  readonly node: readonly OnnxNode[];
  readonly initializer: readonly OnnxTensor[];
  readonly input: readonly OnnxValueInfo[];
  readonly output: readonly OnnxValueInfo[];
}

export interface OnnxModel {
  readonly ir_version: number;
  readonly producer_name: string;
  readonly producer_version: string;
  readonly opset_version: number;
  readonly graph: OnnxGraph;
  readonly metadata_props: Readonly<Record<string, string>>;
}

/** TensorProto.DataType. */
export const DATA_TYPES: Readonly<Record<DType, number>> = {
  float32: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  bfloat16: 16,
};
