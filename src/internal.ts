/** What the project's own scripts need of its insides. Not part of the package's face. */

export { idleContext } from './cli/commands.ts';
export { exitsOf, helpOf } from './cli/help.ts';
export { program } from './cli/program.ts';
export {
  configJsonSchema,
  definitionName,
  describeConfig,
  jsonSchemaText,
} from './config/json-schema.ts';
export { registries } from './config/registries.ts';
export { fetchDataset } from './data/fetch/fetch.ts';
export { CIFAR10_LAYOUT, recordBytes, SUBSET_MANIFEST } from './data/images/cifar-format.ts';
export { cpuEngine } from './engine/native/cpu.ts';
export { fusedOps } from './ops/fused.ts';
export { PASSES } from './plan/plan.ts';
