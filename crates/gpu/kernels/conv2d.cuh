// The convolution: channels last, no padding; a patch's numbers lie line by line in the image as they do in the weight.

struct Conv2d {
    u32 images, height, width, channels, outputs, size, stride;
};

DEVICE u32 output_side(u32 pixels, const Conv2d &s) { return (pixels - s.size) / s.stride + 1; }

// Where the patch at an output pixel begins in the images; pixels are counted over all images.
DEVICE u32 patch_at(u32 pixel, const Conv2d &s) {
    u32 down = output_side(s.height, s), across = output_side(s.width, s);
    u32 image = pixel / (down * across), y = pixel / across % down, x = pixel % across;
    return ((image * s.height + y * s.stride) * s.width + x * s.stride) * s.channels;
}

// Where number k of a patch lies, from where the patch begins.
DEVICE u32 in_patch(u32 k, const Conv2d &s) {
    u32 line = s.size * s.channels;
    return k / line * s.width * s.channels + k % line;
}

struct Conv2dForward {
    const float *x, *w, *bias;
    float *y;
    Conv2d shape;
    u32 activation;
    static const bool row_first = false, column_first = true, has_gaps = false;
    DEVICE_METHOD float start(u32, u32 o) const { return bias[o]; }
    DEVICE_METHOD bool left(u32 pixel, u32 k, float &value) const {
        value = x[patch_at(pixel, shape) + in_patch(k, shape)];
        return true;
    }
    DEVICE_METHOD float right(u32 k, u32 o) const { return w[k * shape.outputs + o]; }
    DEVICE_METHOD void finish(u32 pixel, u32 o, float sum) const { y[pixel * shape.outputs + o] = activate(activation, sum); }
};

// At each output pixel y[o] = activation(bias[o] + Σ_k patch[k]·w[k][o])
KERNEL conv2d_forward(const float *x, const float *w, const float *bias, float *y, Conv2d shape, u32 activation) {
    Conv2dForward of = {x, w, bias, y, shape, activation};
    u32 pixels = shape.images * output_side(shape.height, shape) * output_side(shape.width, shape);
    product(pixels, shape.outputs, shape.size * shape.size * shape.channels, of);
}

struct Conv2dWeightGradient {
    const float *x, *dy;
    float *dw, *db;
    Conv2d shape;
    u32 patch_len;
    static const bool row_first = true, column_first = true, has_gaps = false;
    DEVICE_METHOD float start(u32, u32) const { return 0.0f; }
    DEVICE_METHOD bool left(u32 k, u32 pixel, float &value) const {
        value = k < patch_len ? x[patch_at(pixel, shape) + in_patch(k, shape)] : 1.0f;
        return true;
    }
    DEVICE_METHOD float right(u32 pixel, u32 o) const { return dy[pixel * shape.outputs + o]; }
    DEVICE_METHOD void finish(u32 k, u32 o, float sum) const {
        *(k < patch_len ? &dw[k * shape.outputs + o] : &db[o]) = sum;
    }
};

// dw[k][o] = Σ patch[k]·dy[o] and db[o] = Σ dy[o] over the output pixels in the order in which they lie, from 0
KERNEL conv2d_weight_gradient(const float *x, const float *dy, float *dw, float *db, Conv2d shape) {
    u32 patch_len = shape.size * shape.size * shape.channels;
    Conv2dWeightGradient of = {x, dy, dw, db, shape, patch_len};
    u32 pixels = shape.images * output_side(shape.height, shape) * output_side(shape.width, shape);
    product(patch_len + 1, shape.outputs, pixels, of);
}

// The pixels of the input whose patches overlap them in one way: those at (down, across) modulo the stride. A row of the product is
// such a pixel, a column a channel; the terms are the patches that may hold the pixel, from the first of them in the order in which
// they lie to the last, each with its outputs.
struct Conv2dInputGradient {
    const float *dy, *w, *x;
    float *dx;
    Conv2d shape;
    u32 activation, down, across;
    // Pixels of this kind down and across, and patches that may hold one, each way.
    u32 pixels_down, pixels_across, taps;
    static const bool row_first = false, column_first = false, has_gaps = true;

    DEVICE_METHOD u32 pixel_y(u32 row) const { return row / pixels_across % pixels_down * shape.stride + down; }
    DEVICE_METHOD u32 pixel_x(u32 row) const { return row % pixels_across * shape.stride + across; }
    DEVICE_METHOD u32 image(u32 row) const { return row / (pixels_down * pixels_across); }
    // The place within the patch, one way, of a pixel at `phase` that the tap-th patch from the first holds.
    DEVICE_METHOD u32 place(u32 phase, u32 tap) const { return phase + (taps - 1 - tap) * shape.stride; }
    DEVICE_METHOD float start(u32, u32) const { return 0.0f; }
    DEVICE_METHOD bool left(u32 row, u32 term, float &value) const {
        u32 o = term % shape.outputs, tap = term / shape.outputs;
        u32 in_y = place(down, tap / taps), in_x = place(across, tap % taps);
        u32 y = pixel_y(row), x = pixel_x(row);
        if (in_y >= shape.size || in_x >= shape.size || y < in_y || x < in_x) return false;
        u32 patch_y = (y - in_y) / shape.stride, patch_x = (x - in_x) / shape.stride;
        u32 patches_down = output_side(shape.height, shape), patches_across = output_side(shape.width, shape);
        if (patch_y >= patches_down || patch_x >= patches_across) return false;
        value = dy[((image(row) * patches_down + patch_y) * patches_across + patch_x) * shape.outputs + o];
        return true;
    }
    DEVICE_METHOD float right(u32 term, u32 channel) const {
        u32 o = term % shape.outputs, tap = term / shape.outputs;
        u32 in_y = place(down, tap / taps), in_x = place(across, tap % taps);
        if (in_y >= shape.size || in_x >= shape.size) return 0.0f;
        return w[((in_y * shape.size + in_x) * shape.channels + channel) * shape.outputs + o];
    }
    DEVICE_METHOD void finish(u32 row, u32 channel, float sum) const {
        u32 pixel = (image(row) * shape.height + pixel_y(row)) * shape.width + pixel_x(row);
        u32 i = pixel * shape.channels + channel;
        dx[i] = differentiate(activation, x[i], sum);
    }
};

// dx[i] = (Σ dy[pixel][o]·w[k][o]) · activation'(x[i]) over the output pixels whose patch holds number i as its k-th, in the order in
// which they lie, and over o at each of them. The third dimension of the launch is the stride squared.
KERNEL conv2d_input_gradient(const float *dy, const float *w, const float *x, float *dx, Conv2d shape, u32 activation) {
    u32 down = blockIdx.z / shape.stride, across = blockIdx.z % shape.stride;
    u32 pixels_down = down < shape.height ? (shape.height - down - 1) / shape.stride + 1 : 0;
    u32 pixels_across = across < shape.width ? (shape.width - across - 1) / shape.stride + 1 : 0;
    u32 taps = (shape.size - 1) / shape.stride + 1;
    Conv2dInputGradient of = {dy, w, x, dx, shape, activation, down, across, pixels_down, pixels_across, taps};
    product(shape.images * pixels_down * pixels_across, shape.channels, taps * taps * shape.outputs, of);
}
