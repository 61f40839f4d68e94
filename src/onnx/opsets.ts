/** Versions of ONNX's operators, with the version of the file format that brought each. */
export const IR_VERSIONS: Readonly<Record<number, number>> = {
  18: 8,
  19: 9,
  20: 9,
  21: 10,
  22: 10,
};
