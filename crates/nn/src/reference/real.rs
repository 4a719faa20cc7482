//! [`Real`]: `f32` and `f64` alike.

/// The numbers that the twin computes with.
pub trait Real: Copy + PartialOrd + std::fmt::Debug + std::ops::Neg<Output = Self> {
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// The nearest number to `x`.
    fn of(x: f64) -> Self;
    /// The same number, exactly.
    fn wide(self) -> f64;
    /// `self · a + b` with one rounding.
    fn fma(self, a: Self, b: Self) -> Self;
    /// `self + b`.
    fn plus(self, b: Self) -> Self;
    /// `self − b`.
    fn minus(self, b: Self) -> Self;
    /// `self · b`.
    fn times(self, b: Self) -> Self;
    /// `self / b`.
    fn over(self, b: Self) -> Self;
    /// The square root, correctly rounded.
    fn root(self) -> Self;
    /// The hyperbolic tangent.
    fn tanh(self) -> Self;
}

macro_rules! real {
    ($t:ty, $fma:path, $tanh:path) => {
        impl Real for $t {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            #[inline]
            fn of(x: f64) -> Self {
                x as $t
            }
            #[inline]
            fn wide(self) -> f64 {
                self.into()
            }
            #[inline]
            fn fma(self, a: Self, b: Self) -> Self {
                $fma(self, a, b)
            }
            #[inline]
            fn plus(self, b: Self) -> Self {
                self + b
            }
            #[inline]
            fn minus(self, b: Self) -> Self {
                self - b
            }
            #[inline]
            fn times(self, b: Self) -> Self {
                self * b
            }
            #[inline]
            fn over(self, b: Self) -> Self {
                self / b
            }
            #[inline]
            fn root(self) -> Self {
                self.sqrt()
            }
            #[inline]
            fn tanh(self) -> Self {
                $tanh(self)
            }
        }
    };
}
real!(f32, crate::math::mul_add, crate::math::tanh);
real!(f64, f64::mul_add, libm::tanh);
