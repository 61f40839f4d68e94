// What each op on images does to bytes: `out` has the shape that the op gives, and is not `in`.
// Arguments were checked.
#pragma once

#include "image_ops.h"

namespace torchts {

// image_move.cc
void crop_image(ImageView in, const ImageOp& op, uint8_t* out);
void pad_image(ImageView in, const ImageOp& op, uint8_t* out);
void flip_columns(ImageView in, uint8_t* out);
void flip_rows(ImageView in, uint8_t* out);
void reverse_row(const uint8_t* in, int64_t width, uint8_t* out);
void turn_image(ImageView in, int64_t turns, uint8_t* out);

// image_lookup.cc: out[i] = table[in[i]]; of an image, with a table of 256 floats for each channel.
void look_up(const uint8_t* in, const float* table, size_t count, float* out);
void look_up_planes(ImageView image, const float* table, float* out);

// image_resize.cc
void resize_image(ImageView in, const ImageOp& op, uint8_t* out);

// image_warp.cc
void affine_image(ImageView in, const ImageOp& op, uint8_t* out);
void perspective_image(ImageView in, const ImageOp& op, uint8_t* out);

// image_color.cc
void adjust_brightness(ImageView in, double factor, uint8_t* out);
void adjust_contrast(ImageView in, double factor, uint8_t* out);
void adjust_saturation(ImageView in, double factor, uint8_t* out);
void adjust_hue(ImageView in, double factor, uint8_t* out);
void gray_image(ImageView in, int64_t channels, Arithmetic arithmetic, uint8_t* out);
void invert_image(ImageView in, uint8_t* out);
void posterize_image(ImageView in, int64_t bits, uint8_t* out);
void solarize_image(ImageView in, double threshold, uint8_t* out);
void autocontrast_image(ImageView in, uint8_t* out);
void equalize_image(ImageView in, uint8_t* out);

// image_sharpness.cc
void adjust_sharpness(ImageView in, double factor, uint8_t* out);

// image_blur.cc
void blur_image(ImageView in, const ImageOp& op, uint8_t* out);

}  // namespace torchts
