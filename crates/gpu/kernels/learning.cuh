// Clipping, the optimisers' steps and the target network.

#define NORM_BLOCK 65536
#define NORM_PARTS 32

// What is known of an update once it is made.
struct Report {
    // Euclidean norm of the gradient before it was clipped.
    double norm;
    // What the gradient is multiplied by, and whether it is.
    float factor;
    u32 is_clipped;
    // Whether a parameter is NaN or infinite.
    u32 is_broken;
    u32 unused;
};

// Threads that square numbers, and numbers that each squares at a time.
#define NORM_THREADS 256
#define SQUARED 8

// The sum of squares of each block of 65,536 numbers, in f64: square i of a block goes to partial sum i mod 32, first those after the
// last whole 32 and then all others in increasing order; then the partial sums in order. A launch has a block of threads for each: all
// of them square, and the first 32 have a partial sum each.
KERNEL square_sums(const float *values, double *sums, u32 count) {
    SHARED double squares[NORM_THREADS * SQUARED];
    SHARED double parts[NORM_PARTS];
    OWN(double, sum, 1);
    u32 first = blockIdx.x * NORM_BLOCK;
    u32 len = count - first < NORM_BLOCK ? count - first : NORM_BLOCK;
    u32 whole = len / NORM_PARTS * NORM_PARTS;
    THREADS {
        MINE(sum, 0) = 0.0;
        if (threadIdx.x < NORM_PARTS && whole + threadIdx.x < len) {
            double value = (double)values[first + whole + threadIdx.x];
            MINE(sum, 0) = __dadd_rn(0.0, __dmul_rn(value, value));
        }
    }
    for (u32 from = 0; from < whole; from += NORM_THREADS * SQUARED) {
        THREADS {
            UNROLL for (u32 i = 0; i < SQUARED; ++i) {
                u32 at = threadIdx.x + i * NORM_THREADS;
                double value = from + at < whole ? (double)values[first + from + at] : 0.0;
                squares[at] = __dmul_rn(value, value);
            }
        }
        SYNC
        u32 here = whole - from < NORM_THREADS * SQUARED ? whole - from : NORM_THREADS * SQUARED;
        THREADS {
            if (threadIdx.x < NORM_PARTS) {
                for (u32 i = threadIdx.x; i < here; i += NORM_PARTS) MINE(sum, 0) = __dadd_rn(MINE(sum, 0), squares[i]);
            }
        }
        SYNC
    }
    THREADS {
        if (threadIdx.x < NORM_PARTS) parts[threadIdx.x] = MINE(sum, 0);
    }
    SYNC
    THREADS {
        if (threadIdx.x == 0) {
            double sum_of_parts = 0.0;
            for (u32 part = 0; part < NORM_PARTS; ++part) sum_of_parts = __dadd_rn(sum_of_parts, parts[part]);
            sums[blockIdx.x] = sum_of_parts;
        }
    }
}

// The norm, the sums of the blocks added in order, and what the gradient is multiplied by so that it is at most `max_norm`; 0 does
// not clip.
KERNEL clip_factor(const double *sums, Report *report, u32 blocks, float max_norm) {
    if (THREAD > 0) return;
    double total = 0.0;
    for (u32 block = 0; block < blocks; ++block) total = __dadd_rn(total, sums[block]);
    double norm = __dsqrt_rn(total);
    double factor = __ddiv_rn((double)max_norm, __dadd_rn(norm, 1e-6));
    report->norm = norm;
    report->factor = __double2float_rn(factor);
    report->is_clipped = max_norm > 0.0f && !(factor >= 1.0);
}

KERNEL scale_gradients(float *gradients, const Report *report, u32 count) {
    u32 i = THREAD;
    if (i < count && report->is_clipped) gradients[i] = mul(gradients[i], report->factor);
}

DEVICE bool is_finite(float x) { return (__float_as_int(x) & 0x7f800000) != 0x7f800000; }

// What Adam and rectified Adam multiply by in a step.
struct AdamFactors {
    float one_minus_beta1, beta2, one_minus_beta2, inverse_root_correction, epsilon, negative_step;
};

KERNEL adam(float *parameters, const float *gradients, float *means, float *squares, const AdamFactors *factors, Report *report,
            u32 count) {
    u32 i = THREAD;
    if (i >= count) return;
    AdamFactors f = *factors;
    float g = gradients[i];
    float m = fma_of(f.one_minus_beta1, sub(g, means[i]), means[i]);
    float v = fma_of(mul(f.one_minus_beta2, g), g, mul(f.beta2, squares[i]));
    float denominator = fma_of(root(v), f.inverse_root_correction, f.epsilon);
    float p = fma_of(f.negative_step, over(m, denominator), parameters[i]);
    means[i] = m;
    squares[i] = v;
    parameters[i] = p;
    if (!is_finite(p)) report->is_broken = 1;
}

struct RmsPropFactors {
    float alpha, one_minus_alpha, epsilon, momentum, negative_learning_rate, unused;
};

// `means` and `velocities` are null in the forms that have none.
KERNEL rms_prop(float *parameters, const float *gradients, float *squares, float *means, float *velocities, const RmsPropFactors *factors,
                Report *report, u32 count) {
    u32 i = THREAD;
    if (i >= count) return;
    RmsPropFactors f = *factors;
    float g = gradients[i];
    float square = fma_of(mul(f.one_minus_alpha, g), g, mul(f.alpha, squares[i]));
    squares[i] = square;
    float variance = square;
    if (means) {
        float mean = fma_of(f.one_minus_alpha, sub(g, means[i]), means[i]);
        means[i] = mean;
        variance = fma_of(-mean, mean, variance);
    }
    float update = over(g, add(root(variance), f.epsilon));
    if (velocities) {
        update = fma_of(f.momentum, velocities[i], update);
        velocities[i] = update;
    }
    float p = fma_of(f.negative_learning_rate, update, parameters[i]);
    parameters[i] = p;
    if (!is_finite(p)) report->is_broken = 1;
}

// target ← target + tau·(online − target)
KERNEL follow(float *target, const float *online, u32 count, float tau) {
    u32 i = THREAD;
    if (i < count) target[i] = add(target[i], mul(tau, sub(online[i], target[i])));
}
