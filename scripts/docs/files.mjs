/** Every file that is generated, from the root of the package, with its text. */

/**
 * @param {typeof import('../../src/internal.ts')} torchts
 * @returns {Map<string, string>}
 */
export function generatedFiles({ configJsonSchema, jsonSchemaText, registries }) {
  return new Map([['configs/torchts.schema.json', jsonSchemaText(configJsonSchema(registries))]]);
}
