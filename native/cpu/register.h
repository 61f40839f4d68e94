// One line for each op family: the function that adds its kernels to the registry.
#pragma once

#include "../runtime/kernel.h"
#include "vec.h"

namespace torchts {
inline namespace TORCHTS_ISA {

void register_arg_reduce(Registry& registry);
void register_avg_pool2d(Registry& registry);
void register_batch_norm_bwd(Registry& registry);
void register_batch_norm_fwd(Registry& registry);
void register_attention_bwd(Registry& registry);
void register_attention_fwd(Registry& registry);
void register_cat(Registry& registry);
void register_clip_norm(Registry& registry);
void register_conv2d_im2col(Registry& registry);
void register_conv2d_rows(Registry& registry);
void register_conv2d_rows_bwd_weight(Registry& registry);
void register_conv2d_channels(Registry& registry);
void register_embedding(Registry& registry);
void register_cross_entropy(Registry& registry);
void register_fill(Registry& registry);
void register_gather(Registry& registry);
void register_layer_norm(Registry& registry);
void register_lstm(Registry& registry);
void register_matmul(Registry& registry);
void register_max_pool2d(Registry& registry);
void register_optimizer(Registry& registry);
void register_max_pool2d_bwd(Registry& registry);
void register_dropout(Registry& registry);
void register_philox(Registry& registry);
void register_pointwise(Registry& registry);
void register_reduce(Registry& registry);
void register_reorder(Registry& registry);
void register_scan(Registry& registry);
void register_softmax(Registry& registry);
void register_sort(Registry& registry);
void register_view(Registry& registry);

}  // namespace TORCHTS_ISA
}  // namespace torchts
