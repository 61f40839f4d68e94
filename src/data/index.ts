/**
 * Data sets, transforms and the loader. Importing this registers every data set and transform.
 * Fetching is not among them: it needs archive and PNG readers, which a training run need not load.
 */

import './images/cifar.ts';
import './composition/concat-dataset.ts';
import './composition/reconstruction.ts';
import './composition/subset.ts';
import './array-dataset.ts';
import './fake.ts';
import './images/idx-sets.ts';
import './images/image-folder.ts';
import './images/parquet-images.ts';
import './images/qmnist.ts';
import './images/stl10.ts';
import './images/svhn.ts';
import './map-dataset.ts';
import './transforms/auto-augment.ts';
import './transforms/blur.ts';
import './transforms/colors.ts';
import './transforms/containers.ts';
import './transforms/crops.ts';
import './transforms/erasing.ts';
import './transforms/preparing.ts';
import './transforms/to-tensor.ts';
import './transforms/warps.ts';
import './table/binning.ts';
import './table/table-dataset.ts';
import './synthetic.ts';
import './text/char-dataset.ts';
import './text/text-dataset.ts';

export { ConcatDataset, concatDatasets } from './composition/concat-dataset.ts';
export { Reconstruction } from './composition/reconstruction.ts';
export { subset } from './composition/subset.ts';
export {
  type BatchReader,
  type BatchRequest,
  type Dataset,
  type DatasetSource,
  datasets,
  type EncodedFile,
  type Field,
  type SampleDescription,
  type SampleEncoder,
} from './dataset.ts';
export { type ImageData, ImageDataset } from './images/image-dataset.ts';
export {
  DistributedSampler,
  type DistributedSamplerOptions,
} from './loading/distributed-sampler.ts';
export { type Batch, DataLoader, type DataLoaderOptions, type Shard } from './loading/loader.ts';
export type { Sampler } from './loading/sampler.ts';
export {
  RandomSampler,
  type RandomSamplerOptions,
  type SamplerContext,
  SequentialSampler,
  samplers,
  WeightedRandomSampler,
  type WeightedRandomSamplerOptions,
} from './loading/samplers.ts';
export type { Draw, MapDataset, SampleValue } from './map-dataset.ts';
export { TensorDataset } from './tensor-dataset.ts';
export { type Transform, transforms } from './transforms/transforms.ts';
