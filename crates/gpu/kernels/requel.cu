// Every kernel of requel-gpu, one unit: `cargo xtask ptx` makes requel.ptx of it, tests compile it for the host.
#include "arithmetic.cuh"
#include "product.cuh"
#include "dense.cuh"
#include "conv2d.cuh"
#include "layers.cuh"
#include "layer_norm.cuh"
#include "learning.cuh"
