// The portable CPU kernels of one instruction set. This folder is compiled once for each of them,
// into shared objects that show nothing but `torchts_register`.
#include "register.h"

extern "C" __attribute__((visibility("default"))) void torchts_register(
    torchts::Registry* registry) {
  using namespace torchts;
  parallel_runner = registry->parallel();
  register_arg_reduce(*registry);
  register_avg_pool2d(*registry);
  register_batch_norm_bwd(*registry);
  register_batch_norm_fwd(*registry);
  register_attention_bwd(*registry);
  register_attention_fwd(*registry);
  register_cat(*registry);
  register_clip_norm(*registry);
  register_conv2d_im2col(*registry);
  register_conv2d_rows(*registry);
  register_conv2d_rows_bwd_weight(*registry);
  register_conv2d_channels(*registry);
  register_embedding(*registry);
  register_cross_entropy(*registry);
  register_fill(*registry);
  register_gather(*registry);
  register_layer_norm(*registry);
  register_lstm(*registry);
  register_matmul(*registry);
  register_max_pool2d(*registry);
  register_optimizer(*registry);
  register_max_pool2d_bwd(*registry);
  register_dropout(*registry);
  register_philox(*registry);
  register_pointwise(*registry);
  register_reduce(*registry);
  register_reorder(*registry);
  register_scan(*registry);
  register_softmax(*registry);
  register_sort(*registry);
  register_view(*registry);
}
