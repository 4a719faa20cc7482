// The convolution: channels last, no padding; a patch's numbers lie line by line in the image as they do in the weight.

struct Conv2d {
    u32 images, height, width, channels, outputs, size, stride;
};

DEVICE u32 output_side(u32 pixels, const Conv2d &s) { return (pixels - s.size) / s.stride + 1; }
DEVICE u32 output_pixels(const Conv2d &s) { return s.images * output_side(s.height, s) * output_side(s.width, s); }

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

// A row or a term by its number, and where its numbers lie in the images.
struct Placed {
    u32 number, at;
};

struct Conv2dForward {
    const float *x, *w, *bias;
    float *y;
    Conv2d shape;
    u32 activation;
    static const bool row_first = false, column_first = true, has_gaps = false;
    typedef u32 Row;
    typedef Placed Term;
    DEVICE_METHOD float start(u32, u32 o) const { return bias[o]; }
    DEVICE_METHOD Row row(u32 pixel) const { return patch_at(pixel, shape); }
    DEVICE_METHOD Term term(u32 k) const { return {k, in_patch(k, shape)}; }
    DEVICE_METHOD bool left(Row patch, Term k, float &value) const { value = x[patch + k.at]; return true; }
    DEVICE_METHOD float right(Term k, u32 o) const { return w[k.number * shape.outputs + o]; }
    DEVICE_METHOD void finish(u32 pixel, u32 o, float sum) const { y[pixel * shape.outputs + o] = activate(activation, sum); }
};

template <u32 SIDE>
DEVICE void conv2d_forward_by(const float *x, const float *w, const float *bias, float *y, Conv2d shape, u32 activation) {
    Conv2dForward of = {x, w, bias, y, shape, activation};
    product<SIDE>(output_pixels(shape), shape.outputs, shape.size * shape.size * shape.channels, of);
}

// At each output pixel y[o] = activation(bias[o] + Σ_k patch[k]·w[k][o])
PRODUCT(conv2d_forward, (const float *x, const float *w, const float *bias, float *y, Conv2d shape, u32 activation),
        (x, w, bias, y, shape, activation))

struct Conv2dWeightGradient {
    const float *x, *dy;
    float *dw, *db;
    Conv2d shape;
    u32 patch_len;
    static const bool row_first = true, column_first = true, has_gaps = false;
    typedef Placed Row, Term;
    DEVICE_METHOD float start(u32, u32) const { return 0.0f; }
    DEVICE_METHOD Row row(u32 k) const { return {k, in_patch(k, shape)}; }
    DEVICE_METHOD Term term(u32 pixel) const { return {pixel, patch_at(pixel, shape)}; }
    DEVICE_METHOD bool left(Row k, Term patch, float &value) const {
        value = k.number < patch_len ? x[patch.at + k.at] : 1.0f;
        return true;
    }
    DEVICE_METHOD float right(Term pixel, u32 o) const { return dy[pixel.number * shape.outputs + o]; }
    DEVICE_METHOD void finish(u32 k, u32 o, float sum) const {
        *(k < patch_len ? &dw[k * shape.outputs + o] : &db[o]) = sum;
    }
};

template <u32 SIDE>
DEVICE void conv2d_weight_gradient_by(const float *x, const float *dy, float *dw, float *db, Conv2d shape) {
    u32 patch_len = shape.size * shape.size * shape.channels;
    Conv2dWeightGradient of = {x, dy, dw, db, shape, patch_len};
    product<SIDE>(patch_len + 1, shape.outputs, output_pixels(shape), of);
}

// dw[k][o] = Σ patch[k]·dy[o] and db[o] = Σ dy[o] over the output pixels in the order in which they lie, from 0
PRODUCT(conv2d_weight_gradient, (const float *x, const float *dy, float *dw, float *db, Conv2d shape), (x, dy, dw, db, shape))

// The pixels of the input whose patches overlap them in one way: those at (down, across) modulo the stride. A row of the product is
// such a pixel, a column a channel; the terms are the patches that may hold the pixel, from the first of them in the order in which
// they lie to the last, each with its outputs.
struct Conv2dInputGradient {
    const float *dy, *w, *x;
    float *dx;
    Conv2d shape;
    u32 activation, down, across;
    // Pixels of this kind down and across, patches that may hold one, each way, and patches of an image.
    u32 pixels_down, pixels_across, taps, patches_down, patches_across;
    static const bool row_first = false, column_first = false, has_gaps = true;

    // A pixel: its place among those of this kind, and the first patch of its image.
    struct Row {
        u32 y, x, patches;
    };
    // An output of a patch: how many patches before that at the pixel's place it is, and where its weights begin.
    struct Term {
        u32 up, left, output, weights;
        bool holds;
    };

    DEVICE_METHOD u32 image(u32 row) const { return row / (pixels_down * pixels_across); }
    DEVICE_METHOD float start(u32, u32) const { return 0.0f; }
    DEVICE_METHOD Row row(u32 row) const {
        return {row / pixels_across % pixels_down, row % pixels_across, image(row) * patches_down * patches_across};
    }
    DEVICE_METHOD Term term(u32 term) const {
        u32 output = term % shape.outputs, tap = term / shape.outputs;
        u32 up = taps - 1 - tap / taps, left = taps - 1 - tap % taps;
        // The place of the pixel within that patch.
        u32 in_y = down + up * shape.stride, in_x = across + left * shape.stride;
        u32 weights = (in_y * shape.size + in_x) * shape.channels * shape.outputs + output;
        return {up, left, output, weights, in_y < shape.size && in_x < shape.size};
    }
    DEVICE_METHOD bool left(Row pixel, Term term, float &value) const {
        if (!term.holds || pixel.y < term.up || pixel.x < term.left) return false;
        u32 patch_y = pixel.y - term.up, patch_x = pixel.x - term.left;
        if (patch_y >= patches_down || patch_x >= patches_across) return false;
        value = dy[(pixel.patches + patch_y * patches_across + patch_x) * shape.outputs + term.output];
        return true;
    }
    DEVICE_METHOD float right(Term term, u32 channel) const {
        return term.holds ? w[term.weights + channel * shape.outputs] : 0.0f;
    }
    DEVICE_METHOD void finish(u32 row, u32 channel, float sum) const {
        u32 y = row / pixels_across % pixels_down * shape.stride + down, x_of = row % pixels_across * shape.stride + across;
        u32 i = ((image(row) * shape.height + y) * shape.width + x_of) * shape.channels + channel;
        dx[i] = differentiate(activation, x[i], sum);
    }
};

template <u32 SIDE>
DEVICE void conv2d_input_gradient_by(const float *dy, const float *w, const float *x, float *dx, Conv2d shape, u32 activation) {
    u32 down = blockIdx.z / shape.stride, across = blockIdx.z % shape.stride;
    u32 pixels_down = down < shape.height ? (shape.height - down - 1) / shape.stride + 1 : 0;
    u32 pixels_across = across < shape.width ? (shape.width - across - 1) / shape.stride + 1 : 0;
    u32 taps = (shape.size - 1) / shape.stride + 1;
    Conv2dInputGradient of = {dy, w, x, dx, shape, activation, down, across, pixels_down, pixels_across, taps,
                              output_side(shape.height, shape), output_side(shape.width, shape)};
    product<SIDE>(shape.images * pixels_down * pixels_across, shape.channels, taps * taps * shape.outputs, of);
}

// dx[i] = (Σ dy[pixel][o]·w[k][o]) · activation'(x[i]) over the output pixels whose patch holds number i as its k-th, in the order in
// which they lie, and over o at each of them. The third dimension of the launch is the stride squared.
PRODUCT(conv2d_input_gradient, (const float *dy, const float *w, const float *x, float *dx, Conv2d shape, u32 activation),
        (dy, w, x, dx, shape, activation))
