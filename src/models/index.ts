/** The zoo: well-known models under their well-known names. Importing it registers every type. */

export { GPT, type GPTOptions } from './gpt.ts';
export {
  BasicBlock,
  Bottleneck,
  ResNet,
  type ResNetDesign,
  type ResNetOptions,
  resnet18,
  resnet34,
  resnet50,
  resnet101,
  resnet152,
  resnext50_32x4d,
  wide_resnet50_2,
} from './resnet.ts';
