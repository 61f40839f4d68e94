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
  ConvNeXt,
  type ConvNeXtDesign,
  type ConvNeXtOptions,
  convnext_base,
  convnext_large,
  convnext_small,
  convnext_tiny,
} from './convnext.ts';
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
export {
  EfficientNet,
  type EfficientNetDesign,
  type EfficientNetOptions,
  efficientnet_b0,
  efficientnet_b1,
  efficientnet_b2,
  efficientnet_b3,
  efficientnet_b4,
  efficientnet_b5,
  efficientnet_b6,
  efficientnet_b7,
  efficientnet_v2_l,
  efficientnet_v2_m,
  efficientnet_v2_s,
} from './efficientnet.ts';
export {
  GoogLeNet,
  type GoogLeNetOptions,
  type GoogLeNetOutputs,
  googlenet,
} from './googlenet.ts';
export { GPT, type GPTOptions } from './gpt.ts';
export {
  Inception3,
  type Inception3Options,
  type InceptionOutputs,
  inception_v3,
} from './inception-v3.ts';
export { LeNet5, type LeNet5Options, lenet5 } from './lenet.ts';
export { MaxVit, type MaxVitDesign, type MaxVitOptions, maxvit_t } from './maxvit.ts';
export { MLP, type MLPOptions, mlp } from './mlp.ts';
export {
  MNASNet,
  type MNASNetOptions,
  mnasnet0_5,
  mnasnet0_75,
  mnasnet1_0,
  mnasnet1_3,
} from './mnasnet.ts';
export { MobileNetV2, type MobileNetV2Options, mobilenet_v2 } from './mobilenet-v2.ts';
export {
  MobileNetV3,
  type MobileNetV3Design,
  type MobileNetV3Options,
  mobilenet_v3_large,
  mobilenet_v3_small,
} from './mobilenet-v3.ts';
export {
  RegNet,
  type RegNetDesign,
  type RegNetOptions,
  regnet_x_1_6gf,
  regnet_x_3_2gf,
  regnet_x_8gf,
  regnet_x_16gf,
  regnet_x_32gf,
  regnet_x_400mf,
  regnet_x_800mf,
  regnet_y_1_6gf,
  regnet_y_3_2gf,
  regnet_y_8gf,
  regnet_y_16gf,
  regnet_y_32gf,
  regnet_y_128gf,
  regnet_y_400mf,
  regnet_y_800mf,
} from './regnet.ts';
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
  ShuffleNetV2,
  type ShuffleNetV2Design,
  type ShuffleNetV2Options,
  shufflenet_v2_x0_5,
  shufflenet_v2_x1_0,
  shufflenet_v2_x1_5,
  shufflenet_v2_x2_0,
} from './shufflenet-v2.ts';
export {
  SqueezeNet,
  type SqueezeNetOptions,
  squeezenet1_0,
  squeezenet1_1,
} from './squeezenet.ts';
export {
  SwinTransformer,
  type SwinTransformerDesign,
  type SwinTransformerOptions,
  swin_b,
  swin_s,
  swin_t,
  swin_v2_b,
  swin_v2_s,
  swin_v2_t,
} from './swin-transformer.ts';
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
export {
  VisionTransformer,
  type VisionTransformerDesign,
  type VisionTransformerOptions,
  vit_b_16,
  vit_b_32,
  vit_h_14,
  vit_l_16,
  vit_l_32,
} from './vision-transformer.ts';
