// The arithmetic of every kernel: each operation rounds once, as IEEE 754 says, and none is fused or split by a compiler. These are
// the operations of requel-nn, in its order.
//
// A kernel is written in phases: what stands behind THREADS is done by every thread of a block, SYNC waits for all of them, and a
// thread's own numbers between two phases are declared by OWN and used by MINE. THREADS_BY gives a thread's place among SIDE × SIDE.
// On a card THREADS is nothing and MINE a plain name; compiled for the host (host/shim.h) THREADS is a loop over the threads of a
// block, so that the same source runs in a test.

#ifndef REQUEL_HOST
#define DEVICE static __device__ __forceinline__
#define KERNEL extern "C" __global__ void
#define SHARED __shared__
#define THREADS
#define SYNC __syncthreads();
#define OWN(type, name, count) type name[count]
#define MINE(name, i) name[i]
#define THREADS_BY(down, across, SIDE) if (u32 down = threadIdx.x / SIDE, across = threadIdx.x % SIDE; true)
#define UNROLL _Pragma("unroll")
#define DEVICE_METHOD __device__ __forceinline__
#endif

typedef unsigned int u32;
typedef unsigned char u8;

// Two neighbouring numbers, the first of which lies at an even place.
struct alignas(8) Pair {
    float x, y;
};
DEVICE Pair pair(const float *at) { return *(const Pair *)at; }

DEVICE float add(float a, float b) { return __fadd_rn(a, b); }
DEVICE float sub(float a, float b) { return __fsub_rn(a, b); }
DEVICE float mul(float a, float b) { return __fmul_rn(a, b); }
DEVICE float over(float a, float b) { return __fdiv_rn(a, b); }
DEVICE float root(float a) { return __fsqrt_rn(a); }
// a · b + c, rounded once.
DEVICE float fma_of(float a, float b, float c) { return __fmaf_rn(a, b, c); }

// Added to a number below 2²² and taken off again, it leaves the nearest whole number.
#define ROUND 12582912.0f
// ln 2 in two parts; the first has so few bits that its products with small whole numbers are exact.
#define LN2_HIGH 0.6933594f
#define LN2_LOW (-2.1219444e-4f)
#define LOG2_E 1.44269504088896340736f

// The hyperbolic tangent, t / (t + 2) with t = e²ˣ − 1: requel-nn's `math::tanh`, operation by operation.
DEVICE float tanh_of(float x) {
    x = x < -9.1f ? -9.1f : 9.1f < x ? 9.1f : x;
    x = add(x, x);
    float n = sub(fma_of(x, LOG2_E, ROUND), ROUND);
    float r = fma_of(n, -LN2_LOW, fma_of(n, -LN2_HIGH, x));
    float sum = 1.0f / 5040.0f;
    sum = fma_of(sum, r, 1.0f / 720.0f);
    sum = fma_of(sum, r, 1.0f / 120.0f);
    sum = fma_of(sum, r, 1.0f / 24.0f);
    sum = fma_of(sum, r, 1.0f / 6.0f);
    sum = fma_of(sum, r, 0.5f);
    float m1 = fma_of(mul(r, r), sum, r);
    // Of a NaN there is no whole number: whatever power it gets, it stays a NaN.
    float power = n == n ? __int_as_float((int)((u32)((int)n + 127) << 23)) : n;
    float t = fma_of(power, m1, sub(power, 1.0f));
    return over(t, add(t, 2.0f));
}

#define IDENTITY 0
#define RELU 1
#define TANH 2

// activation(x); a NaN stays a NaN.
DEVICE float activate(u32 activation, float x) {
    if (activation == RELU) return x < 0.0f ? 0.0f : x;
    if (activation == TANH) return tanh_of(x);
    return x;
}

// d · activation'(x), computed from y = activation(x).
DEVICE float differentiate(u32 activation, float y, float d) {
    if (activation == RELU) return y > 0.0f ? d : 0.0f;
    if (activation == TANH) return mul(d, fma_of(-y, y, 1.0f));
    return d;
}

// The thread's number among all of a launch.
#define THREAD (blockIdx.x * blockDim.x + threadIdx.x)
