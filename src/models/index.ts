/** The zoo: well-known models under their well-known names. Importing it registers every type. */

export { AlexNet, type AlexNetOptions, alexnet } from './alexnet.ts';
export {
  Autoencoder,
  type AutoencoderOptions,
  autoencoder,
  ConvAutoencoder,
  type ConvAutoencoderOptions,
  conv_autoencoder,
} from './autoencoder.ts';
export {
  CifarResNet,
  type CifarResNetOptions,
  resnet20,
  resnet32,
  resnet44,
  resnet56,
  resnet110,
} from './cifar-resnet.ts';
export {
  DCGANDiscriminator,
  type DCGANDiscriminatorOptions,
  DCGANGenerator,
  type DCGANGeneratorOptions,
  dcgan_discriminator,
  dcgan_generator,
} from './dcgan.ts';
export {
  DenseNet,
  type DenseNetOptions,
  densenet121,
  densenet161,
  densenet169,
  densenet201,
} from './densenet.ts';
export { GPT, type GPTOptions } from './gpt.ts';
export { LeNet5, type LeNet5Options, lenet5 } from './lenet.ts';
export { MLP, type MLPOptions, mlp } from './mlp.ts';
export { MobileNetV2, type MobileNetV2Options, mobilenet_v2 } from './mobilenet-v2.ts';
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
  resnext101_32x8d,
  resnext101_64x4d,
  wide_resnet50_2,
  wide_resnet101_2,
} from './resnet.ts';
export { ResNet9, type ResNet9Options, resnet9 } from './resnet9.ts';
export {
  SqueezeNet,
  type SqueezeNetOptions,
  squeezenet1_0,
  squeezenet1_1,
} from './squeezenet.ts';
export { UNet, type UNetOptions, unet } from './unet.ts';
export {
  VGG,
  type VGGOptions,
  vgg11,
  vgg11_bn,
  vgg13,
  vgg13_bn,
  vgg16,
  vgg16_bn,
  vgg19,
  vgg19_bn,
} from './vgg.ts';
