//! The kernels compiled for the host, behind a driver library of the tests' own, against requel-nn: the same bits.

mod both;
mod layers;
mod learning;
mod nature;
