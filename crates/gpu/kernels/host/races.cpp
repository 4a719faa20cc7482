// Whether threads of a block work on the same numbers of its shared memory without waiting for each other: every kernel that has such
// memory, compiled for the host with a thread for each thread of a block, under ThreadSanitizer, which ends the program where one
// writes what another reads or writes and no SYNC lies between. That depends on the order of SYNCs alone, not on who was faster.
// With REQUEL_WITHOUT_SYNC threads wait for nobody, and there has to be a race: else the check finds none.

#define REQUEL_CONCURRENT
#include "shim.h"

#include "../requel.cu"

#include <pthread.h>

#include <cstdio>
#include <thread>
#include <vector>

namespace {
pthread_barrier_t barrier;

// All blocks of a launch, one after another.
template <class F> void launch(Dimensions grid, unsigned threads, F kernel) {
    pthread_barrier_init(&barrier, nullptr, threads);
    std::vector<std::thread> all;
    for (unsigned thread = 0; thread < threads; ++thread) {
        all.emplace_back([=] {
            blockDim = {threads, 1, 1};
            threadIdx = {thread, 0, 0};
            for (unsigned z = 0; z < grid.z; ++z) for (unsigned y = 0; y < grid.y; ++y) for (unsigned x = 0; x < grid.x; ++x) {
                blockIdx = {x, y, z};
                kernel();
                pthread_barrier_wait(&barrier);
            }
        });
    }
    for (auto &thread : all) thread.join();
    pthread_barrier_destroy(&barrier);
}

template <class F> void tiles(unsigned rows, unsigned columns, unsigned kinds, bool narrow, F kernel) {
    const unsigned tile = narrow ? 16 : 32, threads = narrow ? 64 : 256;
    launch({(rows + tile - 1) / tile, (columns + tile - 1) / tile, kinds}, threads, kernel);
}

std::vector<float> numbers(size_t count) {
    std::vector<float> all(count);
    unsigned state = 1;
    for (auto &number : all) number = (float)((state = state * 1664525u + 1013904223u) >> 8) / 8388608.0f - 1.0f;
    return all;
}
}  // namespace

static void meet() {
#ifndef REQUEL_WITHOUT_SYNC
    pthread_barrier_wait(&barrier);
#endif
}

int main() {
    // Sizes that fill no tile, of more than one piece.
    const u32 rows = 33, inputs = 70, outputs = 35;
    auto x = numbers(rows * inputs), w = numbers(inputs * outputs), bias = numbers(outputs), dy = numbers(rows * outputs);
    std::vector<float> y(rows * outputs), dx(rows * inputs), dw(inputs * outputs), db(outputs);
    for (bool narrow : {false, true}) {
        tiles(rows, outputs, 1, narrow, [&] {
            (narrow ? dense_forward_narrow : dense_forward)(x.data(), w.data(), bias.data(), y.data(), rows, inputs, outputs, RELU);
        });
        tiles(rows, inputs, 1, narrow, [&] {
            (narrow ? dense_input_gradient_narrow : dense_input_gradient)(dy.data(), w.data(), x.data(), dx.data(), rows, inputs, outputs, RELU);
        });
        tiles(inputs + 1, outputs, 1, narrow, [&] {
            (narrow ? dense_weight_gradient_narrow : dense_weight_gradient)(x.data(), dy.data(), dw.data(), db.data(), rows, inputs, outputs);
        });
    }

    const Conv2d shape = {2, 9, 7, 3, 33, 3, 2};
    const u32 pixels = shape.images * 4 * 3, patch = 3 * 3 * 3, images = 2 * 9 * 7 * 3;
    auto image = numbers(images), kernel = numbers(patch * 33), conv_bias = numbers(33), d_out = numbers(pixels * 33);
    std::vector<float> out(pixels * 33), d_image(images), d_kernel(patch * 33), d_bias(33);
    for (bool narrow : {false, true}) {
        tiles(pixels, 33, 1, narrow, [&] {
            (narrow ? conv2d_forward_narrow : conv2d_forward)(image.data(), kernel.data(), conv_bias.data(), out.data(), shape, RELU);
        });
        tiles(2 * 5 * 4, 3, 4, narrow, [&] {
            (narrow ? conv2d_input_gradient_narrow : conv2d_input_gradient)(d_out.data(), kernel.data(), image.data(), d_image.data(), shape, RELU);
        });
        tiles(patch + 1, 33, 1, narrow, [&] {
            (narrow ? conv2d_weight_gradient_narrow : conv2d_weight_gradient)(image.data(), d_out.data(), d_kernel.data(), d_bias.data(), shape);
        });
    }

    const u32 groups = 17, features = 37;
    auto seen = numbers(groups * features), gain = numbers(features), shift = numbers(features), back = numbers(groups * features);
    std::vector<float> normal(groups * features), scales(groups), normalised(groups * features), d_seen(groups * features);
    launch({2, 1, 1}, 256, [&] {
        layer_norm_forward(seen.data(), gain.data(), shift.data(), normal.data(), scales.data(), normalised.data(), groups, features, 1e-5f, RELU);
    });
    launch({2, 1, 1}, 256, [&] {
        layer_norm_input_gradient(seen.data(), gain.data(), normal.data(), scales.data(), back.data(), d_seen.data(), groups, features, RELU);
    });

    const u32 count = 65536 + 2049;
    auto values = numbers(count);
    std::vector<double> sums(2);
    launch({2, 1, 1}, 256, [&] { square_sums(values.data(), sums.data(), count); });
    std::puts("no race in 15 kernels");
}
