// Layer normalisation: sixteen threads for a group, one for each partial sum. Number i of a group goes to partial sum i mod 16, in
// increasing order from 0, and then the second half of the partial sums is added to the first, until one is left.

#define PARTS 16
// Groups of a block.
#define GROUPS 16

typedef float Sums[GROUPS][PARTS];

// The second half of the partial sums upon the first; each halving waits for the one before.
#define FOLD(sums) \
    for (u32 half = PARTS / 2; half > 0; half /= 2) { \
        THREADS { \
            u32 group = threadIdx.x / PARTS, part = threadIdx.x % PARTS; \
            if (part < half) (sums)[group][part] = add((sums)[group][part], (sums)[group][part + half]); \
        } \
        SYNC \
    }

// n = (x − mean)·s with s = 1 / √(variance + ε), and y = activation(n·gain + bias)
KERNEL layer_norm_forward(const float *x, const float *gain, const float *bias, float *normal, float *scales, float *y, u32 groups,
                          u32 features, float epsilon, u32 activation) {
    SHARED Sums sums, squares;
    THREADS {
        u32 group = blockIdx.x * GROUPS + threadIdx.x / PARTS, part = threadIdx.x % PARTS;
        float sum = 0.0f;
        if (group < groups) {
            for (u32 i = part; i < features; i += PARTS) sum = add(sum, x[group * features + i]);
        }
        sums[threadIdx.x / PARTS][part] = sum;
    }
    SYNC
    FOLD(sums)
    THREADS {
        u32 group = blockIdx.x * GROUPS + threadIdx.x / PARTS, part = threadIdx.x % PARTS;
        float mean = over(sums[threadIdx.x / PARTS][0], (float)features), sum = 0.0f;
        if (group < groups) {
            for (u32 i = part; i < features; i += PARTS) {
                float distance = sub(x[group * features + i], mean);
                sum = add(sum, mul(distance, distance));
            }
        }
        squares[threadIdx.x / PARTS][part] = sum;
    }
    SYNC
    FOLD(squares)
    THREADS {
        u32 group = blockIdx.x * GROUPS + threadIdx.x / PARTS, part = threadIdx.x % PARTS;
        if (group < groups) {
            float mean = over(sums[threadIdx.x / PARTS][0], (float)features);
            float variance = over(squares[threadIdx.x / PARTS][0], (float)features);
            float scale = over(1.0f, root(add(variance, epsilon)));
            if (part == 0) scales[group] = scale;
            for (u32 i = part; i < features; i += PARTS) {
                float n = mul(sub(x[group * features + i], mean), scale);
                normal[group * features + i] = n;
                y[group * features + i] = activate(activation, add(mul(n, gain[i]), bias[i]));
            }
        }
    }
}

// dx = (((g − mean g) − n·mean(g·n))·s) · activation'(x) with g = dy·gain
KERNEL layer_norm_input_gradient(const float *x, const float *gain, const float *normal, const float *scales, const float *dy, float *dx,
                                 u32 groups, u32 features, u32 activation) {
    SHARED Sums sums, products;
    THREADS {
        u32 group = blockIdx.x * GROUPS + threadIdx.x / PARTS, part = threadIdx.x % PARTS;
        float sum = 0.0f, product = 0.0f;
        if (group < groups) {
            for (u32 i = part; i < features; i += PARTS) {
                float g = mul(dy[group * features + i], gain[i]);
                sum = add(sum, g);
                product = add(product, mul(g, normal[group * features + i]));
            }
        }
        sums[threadIdx.x / PARTS][part] = sum;
        products[threadIdx.x / PARTS][part] = product;
    }
    SYNC
    FOLD(sums)
    FOLD(products)
    THREADS {
        u32 group = blockIdx.x * GROUPS + threadIdx.x / PARTS, part = threadIdx.x % PARTS;
        if (group < groups) {
            float mean = over(sums[threadIdx.x / PARTS][0], (float)features);
            float slope = over(products[threadIdx.x / PARTS][0], (float)features);
            for (u32 i = part; i < features; i += PARTS) {
                u32 at = group * features + i;
                float g = mul(dy[at], gain[i]);
                float d = mul(sub(sub(g, mean), mul(normal[at], slope)), scales[group]);
                dx[at] = differentiate(activation, x[at], d);
            }
        }
    }
}

// d gain = Σ dy·n and d bias = Σ dy over the groups in increasing order from 0, each product rounded
KERNEL layer_norm_parameter_gradient(const float *dy, const float *normal, float *d_gain, float *d_bias, u32 groups, u32 features) {
    u32 i = THREAD;
    if (i >= features) return;
    float gain = 0.0f, bias = 0.0f;
    for (u32 group = 0; group < groups; ++group) {
        float d = dy[group * features + i];
        gain = add(gain, mul(d, normal[group * features + i]));
        bias = add(bias, d);
    }
    d_gain[i] = gain;
    d_bias[i] = bias;
}
