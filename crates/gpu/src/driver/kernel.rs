//! [`Kernel`]: the kernels by name.

macro_rules! kernels {
    ($($variant:ident = $name:literal)*) => {
        /// A kernel of `kernels/requel.cu`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Kernel {
            $(#[doc = $name] $variant,)*
        }

        impl Kernel {
            /// All kernels, each at the index of its number.
            pub const ALL: &[Kernel] = &[$(Kernel::$variant,)*];

            /// Its name in the source.
            pub fn name(self) -> &'static str {
                match self {
                    $(Kernel::$variant => $name,)*
                }
            }
        }
    };
}

kernels! {
    DenseForward = "dense_forward"
    DenseForwardNarrow = "dense_forward_narrow"
    DenseInputGradient = "dense_input_gradient"
    DenseInputGradientNarrow = "dense_input_gradient_narrow"
    DenseWeightGradient = "dense_weight_gradient"
    DenseWeightGradientNarrow = "dense_weight_gradient_narrow"
    Conv2dForward = "conv2d_forward"
    Conv2dForwardNarrow = "conv2d_forward_narrow"
    Conv2dInputGradient = "conv2d_input_gradient"
    Conv2dInputGradientNarrow = "conv2d_input_gradient_narrow"
    Conv2dWeightGradient = "conv2d_weight_gradient"
    Conv2dWeightGradientNarrow = "conv2d_weight_gradient_narrow"
    ScaleBytes = "scale_bytes"
    ScaleNumbers = "scale_numbers"
    DifferentiateOutputs = "differentiate_outputs"
    DrawNoisy = "draw_noisy"
    NoisyGradient = "noisy_gradient"
    DuelingForward = "dueling_forward"
    DuelingBackward = "dueling_backward"
    AddAndDifferentiate = "add_and_differentiate"
    CosinesOf = "cosines_of"
    EmbeddingForward = "embedding_forward"
    EmbeddingGradient = "embedding_gradient"
    EmbeddingInputGradient = "embedding_input_gradient"
    LayerNormForward = "layer_norm_forward"
    LayerNormInputGradient = "layer_norm_input_gradient"
    LayerNormParameterGradient = "layer_norm_parameter_gradient"
    SquareSums = "square_sums"
    ClipFactor = "clip_factor"
    ScaleGradients = "scale_gradients"
    Adam = "adam"
    RmsProp = "rms_prop"
    Follow = "follow"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::card::PTX;

    #[test]
    fn each_has_its_place_and_is_in_the_ptx() {
        for (place, kernel) in Kernel::ALL.iter().enumerate() {
            assert_eq!(*kernel as usize, place);
            assert!(PTX.contains(&format!(".entry {}(", kernel.name())), "{}", kernel.name());
        }
        assert_eq!(PTX.matches(".entry ").count(), Kernel::ALL.len());
    }
}
