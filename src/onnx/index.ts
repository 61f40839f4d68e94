/** `onnx`: models as ONNX files. */

export { type ExportOptions, exportOnnx } from './export.ts';
export { exportFile as export } from './file.ts';
export type { Field } from './trace.ts';
