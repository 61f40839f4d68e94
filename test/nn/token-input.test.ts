import { describe, expect, it } from 'vitest';
import { describe as describeModel } from '../../src/nn/index.ts';

const model = (layer: object) => ({ type: 'Sequential', layers: [layer] });

describe('embeddings of tokens', () => {
  it.each(['Embedding', 'EmbeddingBag'])('%s has as many rows as there are tokens', (type) => {
    const parameters = (layer: object, tokens?: number) =>
      describeModel(model({ type, embedding_dim: 4, ...layer }), [2, 5], 'int64', tokens).layers[0]!
        .parameters;
    expect(parameters({}, 7)).toBe(28);
    expect(parameters({ num_embeddings: 9 }, 7)).toBe(36);
    expect(parameters({ num_embeddings: 9 })).toBe(36);
    expect(() => parameters({ num_embeddings: 6 }, 7)).toThrow(
      'num_embeddings is 6, but the data has 7 tokens',
    );
    expect(() => parameters({})).toThrow('num_embeddings is missing');
  });

  it('are known where a graph passes its input on', () => {
    const graph = { type: 'Graph', nodes: { rows: { type: 'Embedding', embedding_dim: 2 } } };
    expect(describeModel(graph, [2, 5], 'int64', 7).layers[0]!.parameters).toBe(14);
  });
});
