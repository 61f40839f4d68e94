/** Every file that is generated, from the root of the package, with its text. */

import { commandPages } from './commands.mjs';
import { configPages } from './config.mjs';

/** Nothing else is in these. */
export const GENERATED_FOLDERS = ['docs/commands', 'docs/config'];

/**
 * @param {typeof import('../../src/internal.ts')} torchts
 * @returns {Map<string, string>}
 */
export function generatedFiles(torchts) {
  const { configJsonSchema, jsonSchemaText, registries } = torchts;
  return new Map([
    ['configs/torchts.schema.json', jsonSchemaText(configJsonSchema(registries))],
    ...commandPages(torchts),
    ...configPages(torchts),
  ]);
}
