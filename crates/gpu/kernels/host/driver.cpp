// A driver library for machines without a card, which tests load in the place of NVIDIA's: the calls that requel-gpu makes, with the
// kernels compiled for the host behind them. What goes wrong with real cards goes wrong here on demand:
//
//   REQUEL_TWIN_DEVICES=N        so many devices, 1 without it; of 0 cuInit says that there is none
//   REQUEL_TWIN_MEMORY=BYTES     so much memory
//   REQUEL_TWIN_LOST_AFTER=N     the device is lost at the N-th launch or start of a graph: every call fails from then on, as it does once
//                                the kernel `requel_trap` was launched

#include "shim.h"

#include "../requel.cu"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

enum Result { SUCCESS = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NO_DEVICE = 100, INVALID_DEVICE = 101, NOT_FOUND = 500, LAUNCH_FAILED = 719 };

struct Kernel {
    // All threads of the block that `blockIdx` says.
    void (*run)(void **);
    std::vector<size_t> sizes;
};

template <auto KERNEL_FUNCTION> struct Of;
template <class... A, void (*F)(A...)> struct Of<F> {
    template <size_t... I> static void call(void **given, std::index_sequence<I...>) { F(*static_cast<std::remove_cv_t<A> *>(given[I])...); }
    // A kernel that goes through the threads of a block by itself.
    static void block(void **given) { call(given, std::index_sequence_for<A...>{}); }
    static void threads(void **given) {
        for (threadIdx.x = 0; threadIdx.x < blockDim.x; ++threadIdx.x) call(given, std::index_sequence_for<A...>{});
    }
    static Kernel of_blocks() { return {block, {sizeof(A)...}}; }
    static Kernel of_threads() { return {threads, {sizeof(A)...}}; }
};

#define OF_THREADS(name) {#name, Of<name>::of_threads()}
#define OF_BLOCKS(name) {#name, Of<name>::of_blocks()}
#define OF_TILES(name) OF_BLOCKS(name), OF_BLOCKS(name##_narrow)

// Whether a kernel has trapped: the device is lost from then on.
std::atomic<bool> has_trapped{false};

const std::map<std::string, Kernel> KERNELS = {
    {"requel_trap", {[](void **) { has_trapped = true; }, {}}},
    OF_TILES(dense_forward), OF_TILES(dense_input_gradient), OF_TILES(dense_weight_gradient),
    OF_TILES(conv2d_forward), OF_TILES(conv2d_input_gradient), OF_TILES(conv2d_weight_gradient),
    OF_THREADS(scale_bytes), OF_THREADS(scale_numbers), OF_THREADS(differentiate_outputs),
    OF_THREADS(draw_noisy), OF_THREADS(noisy_gradient),
    OF_THREADS(dueling_forward), OF_THREADS(dueling_backward), OF_THREADS(add_and_differentiate),
    OF_THREADS(cosines_of), OF_THREADS(embedding_forward), OF_THREADS(embedding_gradient), OF_THREADS(embedding_input_gradient),
    OF_BLOCKS(layer_norm_forward), OF_BLOCKS(layer_norm_input_gradient), OF_THREADS(layer_norm_parameter_gradient),
    OF_BLOCKS(square_sums), OF_THREADS(clip_factor), OF_THREADS(scale_gradients),
    OF_THREADS(adam), OF_THREADS(rms_prop), OF_THREADS(follow),
};

// Blocks are independent of each other: where there are many, so many threads of the host share them.
const unsigned WORKERS = std::max(1u, std::thread::hardware_concurrency());
constexpr unsigned long WORTH_A_WORKER = 16;

// A launch or a copy, as it was asked for.
struct Node {
    const Kernel *kernel = nullptr;
    Dimensions grid = {}, block = {};
    std::vector<std::vector<char>> given;
    void *to = nullptr;
    const void *from = nullptr;
    size_t bytes = 0;

    void run() {
        if (!kernel) {
            if (from) std::memmove(to, from, bytes); else std::memset(to, 0, bytes);
            return;
        }
        std::vector<void *> pointers;
        for (auto &value : given) pointers.push_back(value.data());
        unsigned long blocks = (unsigned long)grid.x * grid.y * grid.z;
        std::atomic<unsigned long> next{0};
        auto work = [&] {
            blockDim = block;
            for (unsigned long i; (i = next++) < blocks;) {
                blockIdx = {(unsigned)(i % grid.x), (unsigned)(i / grid.x % grid.y), (unsigned)(i / grid.x / grid.y)};
                kernel->run(pointers.data());
            }
        };
        std::vector<std::thread> others;
        for (unsigned i = 1; i < WORKERS && i * WORTH_A_WORKER < blocks; ++i) others.emplace_back(work);
        work();
        for (auto &other : others) other.join();
    }
};

using Graph = std::vector<Node>;
struct Stream { Graph *recorded = nullptr; };

std::mutex mutex;
std::map<uintptr_t, size_t> allocations;
size_t used = 0;
long launches = 0;

long setting(const char *name, long without) {
    const char *text = std::getenv(name);
    return text && *text ? std::atol(text) : without;
}
long devices() { return setting("REQUEL_TWIN_DEVICES", 1); }
size_t memory() { return (size_t)setting("REQUEL_TWIN_MEMORY", 1L << 36); }
// Whether the device is lost.
bool is_lost() {
    static const long after = setting("REQUEL_TWIN_LOST_AFTER", -1);
    return has_trapped || (after >= 0 && launches >= after);
}

int put(Stream *stream, Node node, bool counts) {
    if (stream && stream->recorded) { stream->recorded->push_back(std::move(node)); return SUCCESS; }
    { std::lock_guard<std::mutex> lock(mutex); if (is_lost()) return LAUNCH_FAILED; launches += counts; }
    node.run();
    return SUCCESS;
}
int copy(void *to, const void *from, size_t bytes, void *stream) {
    Node node;
    node.to = to; node.from = from; node.bytes = bytes;
    return put(static_cast<Stream *>(stream), std::move(node), false);
}

}  // namespace

extern "C" {

int cuInit(unsigned) { return devices() > 0 ? SUCCESS : NO_DEVICE; }
int cuDriverGetVersion(int *version) { *version = 12000; return SUCCESS; }
int cuDeviceGetCount(int *count) { *count = (int)devices(); return SUCCESS; }
int cuDeviceGet(int *device, int ordinal) { if (ordinal < 0 || ordinal >= devices()) return INVALID_DEVICE; *device = ordinal; return SUCCESS; }
int cuDeviceGetName(char *name, int len, int) { std::snprintf(name, len, "host twin"); return SUCCESS; }
int cuDeviceGetAttribute(int *value, int attribute, int) { *value = attribute == 75 ? 7 : attribute == 76 ? 5 : 0; return SUCCESS; }
int cuDevicePrimaryCtxRetain(void **context, int) { static int one; *context = &one; return SUCCESS; }
int cuDevicePrimaryCtxRelease_v2(int) { return SUCCESS; }
int cuCtxSetCurrent(void *) { return SUCCESS; }
int cuMemGetInfo_v2(size_t *free, size_t *total) {
    std::lock_guard<std::mutex> lock(mutex);
    *total = memory(); *free = used < *total ? *total - used : 0;
    return SUCCESS;
}
int cuMemAlloc_v2(uint64_t *address, size_t bytes) {
    std::lock_guard<std::mutex> lock(mutex);
    if (used + bytes > memory()) return OUT_OF_MEMORY;
    void *at = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
    // What a card's memory holds at first is anything.
    std::memset(at, 0xA5, bytes);
    *address = (uint64_t)(uintptr_t)at;
    allocations[(uintptr_t)at] = bytes;
    used += bytes;
    return SUCCESS;
}
int cuMemFree_v2(uint64_t address) {
    std::lock_guard<std::mutex> lock(mutex);
    used -= allocations[(uintptr_t)address];
    allocations.erase((uintptr_t)address);
    std::free((void *)(uintptr_t)address);
    return SUCCESS;
}
int cuMemHostAlloc(void **at, size_t bytes, unsigned) { *at = std::aligned_alloc(256, (bytes + 255) / 256 * 256); return *at ? SUCCESS : OUT_OF_MEMORY; }
int cuMemFreeHost(void *at) { std::free(at); return SUCCESS; }
int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes, void *stream) { return copy((void *)(uintptr_t)to, from, bytes, stream); }
int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, void *stream) { return copy(to, (void *)(uintptr_t)from, bytes, stream); }
int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, void *stream) { return copy((void *)(uintptr_t)to, (void *)(uintptr_t)from, bytes, stream); }
int cuMemsetD8Async(uint64_t to, unsigned char, size_t bytes, void *stream) { return copy((void *)(uintptr_t)to, nullptr, bytes, stream); }
int cuModuleLoadData(void **module, const void *) { static int one; *module = &one; return SUCCESS; }
int cuModuleUnload(void *) { return SUCCESS; }
int cuModuleGetFunction(void **function, void *, const char *name) {
    auto found = KERNELS.find(name);
    if (found == KERNELS.end()) return NOT_FOUND;
    *function = (void *)&found->second;
    return SUCCESS;
}
int cuLaunchKernel(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned, void *stream,
                   void **given, void **) {
    Node node;
    node.kernel = static_cast<const Kernel *>(function);
    node.grid = {gx, gy, gz};
    node.block = {bx, by, bz};
    if (bx > MOST_THREADS || by != 1 || bz != 1 || gx == 0 || gy == 0 || gz == 0) return INVALID_VALUE;
    for (size_t i = 0; i < node.kernel->sizes.size(); ++i) {
        const char *value = static_cast<const char *>(given[i]);
        node.given.emplace_back(value, value + node.kernel->sizes[i]);
    }
    return put(static_cast<Stream *>(stream), std::move(node), true);
}
int cuStreamCreate(void **stream, unsigned) { *stream = new Stream; return SUCCESS; }
int cuStreamDestroy_v2(void *stream) { delete static_cast<Stream *>(stream); return SUCCESS; }
int cuStreamSynchronize(void *) { std::lock_guard<std::mutex> lock(mutex); return is_lost() ? LAUNCH_FAILED : SUCCESS; }
int cuStreamBeginCapture_v2(void *stream, int) { static_cast<Stream *>(stream)->recorded = new Graph; return SUCCESS; }
int cuStreamEndCapture(void *stream, void **graph) {
    auto &recorded = static_cast<Stream *>(stream)->recorded;
    *graph = recorded;
    recorded = nullptr;
    return SUCCESS;
}
int cuGraphInstantiateWithFlags(void **executable, void *graph, unsigned long long) { *executable = new Graph(*static_cast<Graph *>(graph)); return SUCCESS; }
int cuGraphDestroy(void *graph) { delete static_cast<Graph *>(graph); return SUCCESS; }
int cuGraphExecDestroy(void *executable) { delete static_cast<Graph *>(executable); return SUCCESS; }
int cuGraphLaunch(void *executable, void *) {
    { std::lock_guard<std::mutex> lock(mutex); if (is_lost()) return LAUNCH_FAILED; ++launches; }
    for (auto &node : *static_cast<Graph *>(executable)) node.run();
    return SUCCESS;
}
int cuGetErrorName(int error, const char **name) {
    *name = error == OUT_OF_MEMORY ? "CUDA_ERROR_OUT_OF_MEMORY" : error == NO_DEVICE ? "CUDA_ERROR_NO_DEVICE"
          : error == INVALID_DEVICE ? "CUDA_ERROR_INVALID_DEVICE" : error == LAUNCH_FAILED ? "CUDA_ERROR_LAUNCH_FAILED" : "CUDA_ERROR_UNKNOWN";
    return SUCCESS;
}

}  // extern "C"
