// What CUDA C means on the host: the kernels' source as it is, compiled by a C++ compiler. No rounding is left to the compiler:
// -ffp-contract=off, and every multiply-add is `fmaf`.
#pragma once
#include <cmath>
#include <cstring>

#define REQUEL_HOST

struct Dimensions { unsigned x, y, z; };
static thread_local Dimensions threadIdx, blockIdx, blockDim;

#define DEVICE static inline
#define DEVICE_METHOD inline
#define KERNEL static void
#define UNROLL
#define MOST_THREADS 256
#ifdef REQUEL_CONCURRENT
// As on a card: a thread of the host for each thread of a block, which meet at SYNC (host/races.cpp).
#define SHARED static
#define THREADS
#define THREADS_BY(down, across, SIDE) if (const unsigned down = threadIdx.x / SIDE, across = threadIdx.x % SIDE; true)
#define SYNC meet();
#define OWN(type, name, count) type name[count]
#define MINE(name, i) name[i]
static void meet();
#else
#define SHARED
// One thread of a block after another, from one SYNC to the next; by places, so that the compiler computes neighbours side by side.
#define THREADS for (Dimensions threadIdx = {0, 0, 0}; threadIdx.x < blockDim.x; ++threadIdx.x)
#define THREADS_BY(down, across, SIDE) \
    for (unsigned down = 0; down < SIDE; ++down) for (unsigned across = 0; across < SIDE; ++across) \
        if (const Dimensions threadIdx = {down * SIDE + across, 0, 0}; true)
#define SYNC
#define OWN(type, name, count) type name[count][MOST_THREADS]
#define MINE(name, i) name[i][threadIdx.x]
#endif

static inline float __fadd_rn(float a, float b) { return a + b; }
static inline float __fsub_rn(float a, float b) { return a - b; }
static inline float __fmul_rn(float a, float b) { return a * b; }
static inline float __fdiv_rn(float a, float b) { return a / b; }
static inline float __fsqrt_rn(float a) { return std::sqrt(a); }
static inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
static inline double __dadd_rn(double a, double b) { return a + b; }
static inline double __dsub_rn(double a, double b) { return a - b; }
static inline double __dmul_rn(double a, double b) { return a * b; }
static inline double __ddiv_rn(double a, double b) { return a / b; }
static inline double __dsqrt_rn(double a) { return std::sqrt(a); }
static inline float __double2float_rn(double a) { return (float)a; }
static inline int __float_as_int(float a) { int bits; std::memcpy(&bits, &a, 4); return bits; }
static inline float __int_as_float(int bits) { float a; std::memcpy(&a, &bits, 4); return a; }
